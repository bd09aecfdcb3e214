// The file that uploads go to when they are too large for memory.
//
//   Spool spool{blocks, {.directory = "/var/tmp"}};
//   spool.append(bytes);
//   spool.flush();
//   spool.read(0, into);
//   const Result<int> fd = spool.duplicate();  // Whoever wants it longer.
//
// It has no name (O_TMPFILE; where the file system has no such files, one with a name that is
// removed at once), so that it goes with its last descriptor, whatever ends the process. Only the
// user of the process can read it. One serves all files of a form: a request has one descriptor,
// however many files it brings.
//
// Blocking: bytes are collected and written 64 KiB at a time, into the page cache, which takes as
// long as to copy them: tens of microseconds. Where writers outrun the disk, the kernel makes them
// wait for it, and the loop with them; a `directory` on tmpfs never does, and costs memory. Nothing
// is synced: what is here is not meant to survive the machine.
//
// Fails with kSpoolFull (no room, quota, RLIMIT_FSIZE where SIGXFSZ is ignored), kTooManyFiles or
// kSpoolFailed, which are logged with the reason, and with kNoMemory; then it is of no more use.
// Resource: one a form. Source: open(2). Tested by spool_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/base/result.h"

namespace tercel::api {

class Spool {
 public:
  enum class Way : std::uint8_t { kNameless, kNamedAndRemoved };
  struct Options {
    const char* directory = "/tmp";  // Outlives the spool.
    Way way = Way::kNameless;        // The other one is tried where it has to be.
  };

  // Memory is taken from `blocks`, which outlives it, with the first byte.
  Spool(BlockPool& blocks, const Options& options) noexcept : blocks_{blocks}, options_{options} {}
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool();

  [[nodiscard]] Result<void> append(std::string_view bytes) noexcept;
  // Writes what is collected, and gives the memory back.
  [[nodiscard]] Result<void> flush() noexcept;
  // Bytes appended.
  [[nodiscard]] std::uint64_t size() const noexcept { return written_ + collected_; }

  // Fills `into` as far as there are bytes from `offset` on; returns how many. REQUIRES: flush().
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const noexcept;
  // Another descriptor of the file, with its offset anywhere, that is the caller's to close; -1:
  // nothing was ever written. REQUIRES: flush().
  [[nodiscard]] Result<int> duplicate() const noexcept;

 private:
  [[nodiscard]] Result<void> write_out(std::string_view bytes) noexcept;
  [[nodiscard]] bool open() noexcept;
  // Says why, from errno.
  [[nodiscard]] Failure failed(std::string_view what) const noexcept;

  BlockPool& blocks_;
  Options options_;
  Block buffer_;
  std::size_t collected_ = 0;  // In it.
  std::uint64_t written_ = 0;
  int fd_ = -1;
};

}  // namespace tercel::api
