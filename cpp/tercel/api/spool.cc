#include "tercel/api/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "tercel/base/log.h"
#include "tercel/base/with_memory.h"

namespace tercel::api {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} * 1024;
constexpr mode_t kMode = 0600;

int open_nameless(const char* directory) noexcept {
  return ::open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, kMode);
}

int open_and_remove(const char* directory) noexcept {
  std::string path;
  if (!with_memory([&] { path = std::string{directory} + "/tercel-XXXXXX"; })) {
    errno = ENOMEM;
    return -1;
  }
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd >= 0) ::unlink(path.c_str());
  return fd;
}

Errc error_of(int number) noexcept {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Errc::kSpoolFull;
    case EMFILE:
    case ENFILE:
      return Errc::kTooManyFiles;
    case ENOMEM:
      return Errc::kNoMemory;
    default:
      return Errc::kSpoolFailed;
  }
}

}  // namespace

Spool::~Spool() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> Spool::append(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    // What would fill the buffer goes past it.
    if (collected_ == 0 && bytes.size() >= kBufferBytes) return write_out(bytes);
    if (!buffer_) buffer_ = blocks_.take(kBufferBytes);
    if (!buffer_) return fail(Errc::kNoMemory);
    const std::size_t count = std::min(bytes.size(), kBufferBytes - collected_);
    std::memcpy(buffer_.data() + collected_, bytes.data(), count);
    collected_ += count;
    bytes.remove_prefix(count);
    if (collected_ < kBufferBytes) continue;
    collected_ = 0;
    if (auto written = write_out({buffer_.data(), kBufferBytes}); !written) return written;
  }
  return {};
}

Result<void> Spool::flush() noexcept {
  const Block buffer = std::move(buffer_);
  return write_out({buffer.data(), std::exchange(collected_, 0)});
}

Result<void> Spool::write_out(std::string_view bytes) noexcept {
  if (bytes.empty()) return {};
  if (fd_ < 0 && !open()) return failed("made");
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failed("written");
    bytes.remove_prefix(static_cast<std::size_t>(count));
    written_ += static_cast<std::uint64_t>(count);
  }
  return {};
}

bool Spool::open() noexcept {
  if (options_.way == Way::kNameless) fd_ = open_nameless(options_.directory);
  // EISDIR: the kernel does not know the flag.
  const bool has_none = fd_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR);
  if (options_.way == Way::kNamedAndRemoved || has_none) fd_ = open_and_remove(options_.directory);
  return fd_ >= 0;
}

Failure Spool::failed(std::string_view what) const noexcept {
  const int number = errno;
  // Without the memory for it nothing is logged; the request fails all the same.
  static_cast<void>(with_memory([&] {
    log(LogLevel::kError, "a file for uploads in " + std::string{options_.directory} +
                              " could not be " + std::string{what} + ": " +
                              std::generic_category().message(number));
  }));
  return fail(error_of(number));
}

Result<std::size_t> Spool::read(std::uint64_t offset, std::span<char> into) const noexcept {
  std::size_t filled = 0;
  while (filled < into.size() && fd_ >= 0) {
    const std::span<char> rest = into.subspan(filled);
    const ssize_t count =
        ::pread(fd_, rest.data(), rest.size(), static_cast<off_t>(offset + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("read");
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

Result<int> Spool::duplicate() const noexcept {
  if (fd_ < 0) return -1;
  constexpr int kBehindTheStandardOnes = 3;
  const int copy = ::fcntl(fd_, F_DUPFD_CLOEXEC, kBehindTheStandardOnes);
  if (copy < 0) return failed("duplicated");
  return copy;
}

}  // namespace tercel::api
