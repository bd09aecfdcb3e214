// How far the reading of a stream has come: whether there may be more, how often it may be asked in
// this turn of the loop, and how it ended.
//
//   if (reader.may_read(loop, *this)) bytes = reader.fill(stream, input, borrow);
//   ...
//   void on_ready(std::uint32_t readiness) { reader.on_ready(readiness, stream); ... }
//   void run_deferred() { reader.begin_turn(); ... }
//
// An event says once that there is something: it is remembered until a read has found nothing. The
// stream and the buffers are given to each call, so that it is small where there are ten thousand
// of it. A value. Thread: the loop's. Source: epoll(7), of edges. Tested by stream_reader_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tercel/base/pipe.h"
#include "tercel/net/input_buffer.h"
#include "tercel/net/loop.h"
#include "tercel/net/stream.h"

namespace tercel::net {

// What reading has come to.
enum class InputEnd : std::uint8_t {
  kOpen,    // More may come.
  kEnded,   // The peer finished its direction: what is unread is the last.
  kBroken,  // Reset, or TLS that was cut off: what is unread is all there is.
  kNoMemory
};

class StreamReader {
 public:
  // Reads of the stream in one turn of the loop, at most, so that a fast sender does not starve its
  // neighbours: 256 KiB with the loop's buffer, 1 MiB with pipes.
  static constexpr std::uint8_t kReadsPerTurn = 4;

  [[nodiscard]] InputEnd end() const noexcept { return end_; }
  // The kernel, or TLS, may have bytes or the end for us.
  [[nodiscard]] bool readable() const noexcept { return readable_; }
  // The peer finished its direction: its end is there to be read.
  [[nodiscard]] bool fin_seen() const noexcept { return fin_seen_; }
  // Some bytes went into one, of whatever message.
  [[nodiscard]] bool filled_pipes() const noexcept { return filled_pipes_; }

  // --- what others found out
  // There may be something of which no event tells.
  void look_again() noexcept { readable_ = true; }
  // There is nothing now.
  void found_nothing() noexcept { readable_ = false; }
  void end_with(InputEnd end) noexcept { end_ = end; }

  // --- turns of the loop
  void begin_turn() noexcept { reads_left_ = kReadsPerTurn; }
  // An event came, and with it a turn begins. True: it tells of something to read, or of the end.
  bool on_ready(std::uint32_t readiness, const Stream& stream) noexcept {
    constexpr std::uint32_t kEnds = kPeerClosed | kHangup | kError;
    begin_turn();
    if ((readiness & kEnds) != 0) fin_seen_ = true;
    if ((readiness & (kReadable | kEnds)) == 0 && !stream.read_waits_for_write()) return false;
    readable_ = true;
    return true;
  }
  // Whether it is time to read. If it were in another turn, `next_turn` is run in that.
  [[nodiscard]] bool may_read(Loop& loop, Deferred& next_turn) const noexcept {
    if (!readable_ || end_ != InputEnd::kOpen) return false;
    if (reads_left_ == 0) loop.defer(next_turn);
    return reads_left_ > 0;
  }

  // --- reading. REQUIRES: may_read() said so.
  // Reads up to `max` bytes behind what is unread in `input`. Returns how many; 0: end() says
  // whether more can come.
  [[nodiscard]] std::size_t fill(Stream& stream, InputBuffer& input, InputBuffer::Borrow borrow,
                                 std::size_t max) noexcept;
  // Moves up to `max` bytes into `pipe`, which becomes one of `pipes`. 0: nothing came, for
  // whatever reason; the other fill() may find something. REQUIRES: stream.splices(), and nothing
  // is unread.
  [[nodiscard]] std::size_t fill(Stream& stream, PipePool& pipes, Pipe& pipe,
                                 std::size_t max) noexcept;

 private:
  // What changes with each read has bytes of its own.
  std::uint8_t reads_left_ = kReadsPerTurn;
  bool readable_ = false;
  InputEnd end_ : 2 = InputEnd::kOpen;
  bool fin_seen_ : 1 = false;
  bool filled_pipes_ : 1 = false;
};
static_assert(sizeof(StreamReader) <= 3, "exists per connection");

}  // namespace tercel::net
