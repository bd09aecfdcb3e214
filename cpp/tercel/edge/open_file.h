// A file that is open to be sent, with what its system says of it.
//
//   const Result<OpenFile> file = OpenFile::open(syscalls, "/srv/report.pdf");
//   const Result<OpenFile> asset = OpenFile::open_beneath(syscalls, folder, "css/site.css");
//
// Never waits for another process: a FIFO without a writer opens, and is refused for what it is.
// Reading the directory may wait for a disk.
//
// Resource: one owner, which closes it; moved, not copied. Thread: one. Source: openat2(2),
// symlink(7), proc(5). Tested by open_file_test.cc.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <utility>

#include "tercel/base/result.h"
#include "tercel/http/handler.h"
#include "tercel/net/syscalls.h"

struct stat;

namespace tercel::edge {

class OpenFile {
 public:
  // A regular file or a folder. Fails with kNotFound when there is none, it is something else, or
  // may not be read; with kTooManyFiles, kNoMemory or kSystem.
  [[nodiscard]] static Result<OpenFile> open(net::Syscalls& syscalls, const char* path) noexcept;
  // The same for a path from a folder on, which is open. What it leads to lies in the folder,
  // whatever symbolic links are on the way, and whoever moves them meanwhile; what does not is
  // kNotFound.
  [[nodiscard]] static Result<OpenFile> open_beneath(net::Syscalls& syscalls, int folder,
                                                     const char* path) noexcept;
  // Takes over a descriptor, and closes it when it fails.
  [[nodiscard]] static Result<OpenFile> adopt(net::Syscalls& syscalls, int descriptor) noexcept;

  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile() { close(); }

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  [[nodiscard]] bool is_folder() const noexcept { return is_folder_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  // Since 1970: when its bytes changed, as anybody may set it, and when the system last saw a
  // change of it, which nobody sets.
  [[nodiscard]] std::chrono::nanoseconds modified() const noexcept { return modified_; }
  [[nodiscard]] std::chrono::nanoseconds changed() const noexcept { return changed_; }

  // Who closes it from now on is somebody else.
  [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  OpenFile(net::Syscalls& syscalls, int descriptor, const struct stat& about) noexcept;
  void close() noexcept;

  net::Syscalls* syscalls_;
  int descriptor_;
  bool is_folder_;
  std::uint64_t size_;
  std::chrono::nanoseconds modified_;
  std::chrono::nanoseconds changed_;
};

}  // namespace tercel::edge
