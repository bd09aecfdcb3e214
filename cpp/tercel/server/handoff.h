// Hands requests from I/O threads to the thread of an application, and its answers back.
//
//   // Application's thread:
//   auto app = AppEnd::create(app_loop, handler, options.limits);
//   auto io = IoEnd::create(io_loop, **app);
//   Server server(io_loop, **io, options);
//   // I/O thread, from then on:
//   for (;;) { io_loop.wait(-1ns); io_loop.dispatch(); io->flush(); }
//
// An application that may block has several threads, each with an AppEnd; then requests wait in a
// RequestQueue for the next that is free (thread_pool.h). Each crossing is one thread's.
//
// Each end collects what one turn has for the other side, and hands it over with one atomic
// exchange; the other loop is woken once for all that it has not fetched. Neither side ever waits.
// What a request goes through is in crossing.h. Tested by handoff_test.cc, with both ends on one
// thread, and by threaded_server_test.cc.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
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
class RequestQueue;

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

  // --- for a thread of a pool
  // Begins with a request that no thread has taken yet, and tells the handler of it.
  void take(Mail& letter) noexcept;
  // Hands over what this side has for the others. Within a turn that happens by itself.
  void flush() noexcept;

  // --- for the other end
  // Thread: any.
  void push(net::Outgoing<Mail>& mails) noexcept { mailbox_->push(mails); }
  void push(Mail& mail) noexcept { mailbox_->push(mail); }

  // --- for stand-ins
  void handle(const http::Request& request, http::Exchange& exchange) noexcept;
  void post(Mail& mail) noexcept;
  [[nodiscard]] BlockPool& blocks() noexcept { return loop_.blocks(); }
  [[nodiscard]] std::size_t high_water_bytes() const noexcept { return high_water_bytes_; }

 private:
  friend class IoEnd;
  // What this turn has for an I/O thread.
  struct Other {
    IoEnd* end;  // Null: it is gone.
    net::Outgoing<Mail> gathered;
  };

  AppEnd(net::Loop& loop, http::Handler& handler, std::size_t high_water_bytes) noexcept
      : loop_{loop}, handler_{handler}, high_water_bytes_{high_water_bytes} {}
  void on_mail(net::MailBatch<Mail> batch) noexcept override;
  void run_deferred() noexcept override;
  void work(int letters_max) noexcept;
  void connect(IoEnd& end);
  void disconnect(const IoEnd& end) noexcept;

  net::Loop& loop_;
  http::Handler& handler_;
  const std::size_t high_water_bytes_;
  std::vector<Other> others_;  // By IoEnd::number().
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
  // The same for the threads of a pool: `queue` and `apps` outlive it. REQUIRES: there are some,
  // and the same ones for every IoEnd of theirs.
  [[nodiscard]] static Result<std::unique_ptr<IoEnd>> create(net::Loop& loop, RequestQueue& queue,
                                                             std::span<AppEnd* const> apps);
  IoEnd(const IoEnd&) = delete;
  IoEnd& operator=(const IoEnd&) = delete;
  ~IoEnd() override;

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;
  // Hands over what this turn has for the application.
  void flush() noexcept;
  // As AppEnd::work_off().
  bool work_off() noexcept;
  [[nodiscard]] std::size_t crossings() const noexcept { return crossings_.alive(); }

  // --- for the application's ends, on their threads
  // Which one it is to them.
  [[nodiscard]] std::size_t number() const noexcept { return number_; }
  void push(net::Outgoing<Mail>& mails) noexcept { mailbox_->push(mails); }

  // --- for keepers
  void post(Letter& letter) noexcept { send(letter, letter.crossing->app); }
  // Sends a command back, unless it lies in the crossing.
  void give_back(Command& command) noexcept {
    if (command.block) send(command, command.app);
  }
  void orphaned() noexcept { ++orphans_; }
  void destroy(Crossing& crossing, bool orphan) noexcept;
  [[nodiscard]] BlockPool& blocks() noexcept { return loop_.blocks(); }
  [[nodiscard]] std::size_t high_water_bytes() const noexcept {
    return apps_.front()->high_water_bytes();
  }

 private:
  IoEnd(net::Loop& loop, RequestQueue* queue, std::span<AppEnd* const> apps);
  [[nodiscard]] static Result<std::unique_ptr<IoEnd>> open(std::unique_ptr<IoEnd> end);
  void on_mail(net::MailBatch<Mail> batch) noexcept override;
  // `to` is null for a request that a pool's thread is to take.
  void send(Mail& mail, AppEnd* to) noexcept;

  net::Loop& loop_;
  RequestQueue* const queue_;  // Null: there is one AppEnd, which takes every request.
  const std::vector<AppEnd*> apps_;
  std::size_t number_;
  Slab<Crossing> crossings_;
  std::size_t orphans_ = 0;
  std::unique_ptr<net::Mailbox<Mail>> mailbox_;
  net::Outgoing<Mail> outgoing_;  // For the one AppEnd, or the queue.
  std::size_t requests_ = 0;      // That are in it, for the queue.
};

}  // namespace tercel::server
