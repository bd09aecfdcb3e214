// Hands requests from I/O threads to the thread of an application, and its answers back.
//
//   // Application's thread:
//   auto app = AppEnd::create(app_loop, handler, options.limits);
//   auto io = IoEnd::create(io_loop, **app);
//   Server server(io_loop, **io, options);
//   // I/O thread, from then on:
//   for (;;) { io_loop.wait(-1ns); io_loop.dispatch(); io->flush(); }
//
// Each end collects what one turn has for the other side, and hands it over with one atomic
// exchange; the other loop is woken once for all that it has not fetched. Neither side ever waits.
// What a request goes through is in crossing.h. Tested by handoff_test.cc, with both ends on one
// thread, and by threaded_server_test.cc.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "tercel/base/result.h"
#include "tercel/base/slab.h"
#include "tercel/http/handler.h"
#include "tercel/net/loop.h"
#include "tercel/net/mailbox.h"
#include "tercel/server/crossing.h"
#include "tercel/server/mail.h"

namespace tercel::server {

class IoEnd;

// Resource: one a handler; outlives its IoEnds. Thread: the application's, where nothing else is
// said.
class AppEnd final : private net::Mailbox<Mail>::Reader, private net::Deferred {
 public:
  // Requests that begin and other news that is told in one turn, at most: so long the application's
  // other work may wait.
  static constexpr int kLettersPerTurn = 128;
  // Answers that wait for a batch to end, at most: the I/O thread works on them meanwhile.
  static constexpr int kLettersPerFlush = 16;

  // `loop` and `handler` outlive it. Fails with kTooManyFiles, kNoMemory or kSystem.
  [[nodiscard]] static Result<std::unique_ptr<AppEnd>> create(net::Loop& loop,
                                                              http::Handler& handler,
                                                              std::size_t high_water_bytes);
  AppEnd(const AppEnd&) = delete;
  AppEnd& operator=(const AppEnd&) = delete;
  ~AppEnd() override;

  // From now on requests that the handler has not seen are aborted with kDraining.
  void refuse() noexcept { refusing_ = true; }
  // Works on everything that is here, at once. For the end, when no loop turns any more. Returns
  // false when there was nothing.
  bool work_off() noexcept;

  // --- for the other end
  // Thread: any.
  void push(net::Outgoing<Mail>& mails) noexcept { mailbox_->push(mails); }

  // --- for stand-ins
  void handle(const http::Request& request, http::Exchange& exchange) noexcept;
  void post(Mail& mail) noexcept;
  [[nodiscard]] BlockPool& blocks() noexcept { return loop_.blocks(); }
  [[nodiscard]] std::size_t high_water_bytes() const noexcept { return high_water_bytes_; }

 private:
  friend class IoEnd;

  AppEnd(net::Loop& loop, http::Handler& handler, std::size_t high_water_bytes) noexcept
      : loop_{loop}, handler_{handler}, high_water_bytes_{high_water_bytes} {}
  void on_mail(net::MailBatch<Mail> batch) noexcept override;
  void run_deferred() noexcept override;
  void work(int letters_max) noexcept;
  void flush() noexcept;

  net::Loop& loop_;
  http::Handler& handler_;
  const std::size_t high_water_bytes_;
  std::vector<IoEnd*> others_;
  std::unique_ptr<net::Mailbox<Mail>> mailbox_;
  net::MailBatch<Mail> unread_;  // What the last turn left.
  bool working_ = false;
  bool refusing_ = false;
};

// Resource: one an I/O thread; outlives the Server that it is the handler of, and is destroyed
// before its AppEnd, when no crossing is left. Thread: the I/O thread's, where nothing else is
// said.
class IoEnd final : public http::Handler, private net::Mailbox<Mail>::Reader {
 public:
  // Requests whose exchange has ended and which the application has not let go of, at most. Above
  // it new ones are answered 503: peers that ask and leave must not fill the memory of a server
  // whose application is stuck.
  static constexpr std::size_t kOrphansMax = 1024;

  // `loop` and `app` outlive it. Fails as AppEnd. Thread: the application's.
  [[nodiscard]] static Result<std::unique_ptr<IoEnd>> create(net::Loop& loop, AppEnd& app);
  IoEnd(const IoEnd&) = delete;
  IoEnd& operator=(const IoEnd&) = delete;
  ~IoEnd() override;

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;
  // Hands over what this turn has for the application.
  void flush() noexcept { app_.push(outgoing_); }
  // As AppEnd::work_off().
  bool work_off() noexcept;
  [[nodiscard]] std::size_t crossings() const noexcept { return crossings_.alive(); }

  // --- for the application's end, on its thread
  void gather(Mail& mail) noexcept { gathered_.add(mail); }
  void push_gathered() noexcept { mailbox_->push(gathered_); }

  // --- for keepers
  void post(Mail& mail) noexcept { outgoing_.add(mail); }
  // Sends a command back, unless it lies in the crossing.
  void give_back(Command& command) noexcept {
    if (command.block) outgoing_.add(command);
  }
  void orphaned() noexcept { ++orphans_; }
  void destroy(Crossing& crossing, bool orphan) noexcept;
  [[nodiscard]] BlockPool& blocks() noexcept { return loop_.blocks(); }
  [[nodiscard]] std::size_t high_water_bytes() const noexcept { return app_.high_water_bytes(); }

 private:
  IoEnd(net::Loop& loop, AppEnd& app) noexcept : loop_{loop}, app_{app} {}
  void on_mail(net::MailBatch<Mail> batch) noexcept override;

  net::Loop& loop_;
  AppEnd& app_;
  Slab<Crossing> crossings_;
  std::size_t orphans_ = 0;
  std::unique_ptr<net::Mailbox<Mail>> mailbox_;
  net::Outgoing<Mail> outgoing_;
  // The application's thread writes it: not on a cache line of ours.
  alignas(64) net::Outgoing<Mail> gathered_;
};

}  // namespace tercel::server
