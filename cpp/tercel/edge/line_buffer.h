// Where the access log puts its lines: room for one, then its end.
//
// The seam between what a line says (AccessLog) and where it goes: LogFile for a descriptor,
// LineRelay for a reader on another thread. Thread: the loop's.
#pragma once

#include <cstddef>
#include <span>

namespace tercel::edge {

class LineBuffer {
 public:
  virtual ~LineBuffer() = default;
  // Room for a line of up to `bytes` bytes, or nothing: then this line is counted as dropped.
  // Valid until the next call.
  [[nodiscard]] virtual std::span<char> room(std::size_t bytes) noexcept = 0;
  // The first `bytes` bytes of room() are a line with its end.
  virtual void commit(std::size_t bytes) noexcept = 0;
  // A line could not be made, for lack of memory.
  virtual void drop() noexcept = 0;
  // Passes on what is here, as far as that needs no waiting. Thread: also another one, once the
  // loop has stopped turning.
  virtual void flush() noexcept = 0;
};

}  // namespace tercel::edge
