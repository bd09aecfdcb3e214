// Lines of an access log on their way to a reader on another thread: a logger that is called there.
//
//   auto inbox = LineInbox::create(app_loop, reader);   // On the reader's thread.
//   LineRelay relay(io_loop, **inbox);                  // One for each thread that makes lines.
//   AccessLog access_log(io_loop, relay, format, clocks);
//
// Lines collect in a page until the loop's turn ends, and are then handed over together. A relay
// has two pages: while the reader has one, the other fills, through as many turns as the reader
// needs. What does not fit then is dropped by whole lines and counted, and the next page says how
// many were lost. Neither side ever waits, and there is no lock. Both may be on the same loop.
// Tested by line_relay_test.cc, also under TSan.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/edge/line_buffer.h"
#include "tercel/net/loop.h"
#include "tercel/net/mailbox.h"
#include "tercel/net/timer_wheel.h"

namespace tercel::edge {

struct LinePage final : net::MailNode {
  std::unique_ptr<char[]> bytes;
  std::size_t filled = 0;
  std::uint64_t lost = 0;         // Lines that should have come before these.
  std::atomic<bool> away{false};  // With the reader.
};

// Resource: outlives its relays. Thread: the reader's.
class LineInbox final : private net::Mailbox<LinePage>::Reader {
 public:
  class Reader {
   public:
    // `lines` are whole ones, each with its end; valid during the call. `lost` lines are missing
    // before them.
    virtual void on_lines(std::string_view lines, std::uint64_t lost) noexcept = 0;

   protected:
    ~Reader() = default;
  };

  // `loop` and `reader` outlive it. Fails with kTooManyFiles, kNoMemory or kSystem.
  [[nodiscard]] static Result<std::unique_ptr<LineInbox>> create(net::Loop& loop, Reader& reader);
  LineInbox(const LineInbox&) = delete;
  LineInbox& operator=(const LineInbox&) = delete;

  // Reads what is here, without waiting to be woken: for the end, when no loop turns any more.
  void read_all() noexcept { on_mail(mailbox_->take_all()); }

  // --- for relays
  // Thread: any.
  void push(LinePage& page) noexcept { mailbox_->push(page); }

 private:
  explicit LineInbox(Reader& reader) noexcept : reader_{reader} {}
  void on_mail(net::MailBatch<LinePage> batch) noexcept override;

  Reader& reader_;
  std::unique_ptr<net::Mailbox<LinePage>> mailbox_;
};

// Resource. Thread: that of its loop. REQUIRES: when it dies, its pages are back: flush() and
// LineInbox::read_all().
class LineRelay final : public LineBuffer, private net::Deferred, private net::Timer {
 public:
  // Pages of which no line reaches a part cost nothing for that part.
  static constexpr std::size_t kPageBytes = std::size_t{256} << 10;

  // `loop` and `inbox` outlive it.
  LineRelay(net::Loop& loop, LineInbox& inbox);
  LineRelay(const LineRelay&) = delete;
  LineRelay& operator=(const LineRelay&) = delete;
  ~LineRelay() override;

  [[nodiscard]] std::span<char> room(std::size_t bytes) noexcept override;
  void commit(std::size_t bytes) noexcept override;
  void drop() noexcept override;
  // Hands over what is here, unless the reader has a page: then it is looked at again in a while.
  void flush() noexcept override;

 private:
  void run_deferred() noexcept override { flush(); }
  void on_timer() noexcept override { flush(); }
  // The page that fills, or null while the reader has both.
  [[nodiscard]] LinePage* page() noexcept;
  void hand_over(LinePage& filled) noexcept;

  net::Loop& loop_;
  LineInbox& inbox_;
  std::array<LinePage, 2> pages_;
  std::size_t filling_ = 0;
  std::uint64_t lost_ = 0;  // And not told yet.
};

}  // namespace tercel::edge
