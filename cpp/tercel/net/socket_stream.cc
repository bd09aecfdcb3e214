#include "tercel/net/socket_stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "tercel/base/assert.h"

namespace tercel::net {
namespace {

// Bytes that copy_file() moves through the stack at a time.
constexpr std::size_t kCopyBytes = 16384;

// Repeats a call that a signal interrupted before it did anything.
template <typename SystemCall>
ssize_t uninterrupted(SystemCall call) noexcept {
  ssize_t result = call();
  while (result == -EINTR) result = call();
  return result;
}

// What a call that took or gave bytes means. `at_zero` is the meaning of none.
IoResult outcome(ssize_t result, IoState at_zero) noexcept {
  if (result > 0) return {static_cast<std::size_t>(result), IoState::kDone};
  if (result == 0) return {0, at_zero};
  return {0, result == -EAGAIN ? IoState::kAgain : IoState::kFailed};
}

}  // namespace

SocketStream::~SocketStream() {
  if (owns()) syscalls_.close(fd_);
}

IoResult SocketStream::read(std::span<char> into) noexcept {
  TERCEL_ASSERT(!into.empty());
  if (!owns()) return {0, IoState::kFailed};
  return outcome(uninterrupted([&] { return syscalls_.recv(fd_, into); }), IoState::kEnd);
}

IoResult SocketStream::write(std::span<const iovec> pieces) noexcept {
  if (!owns()) return {0, IoState::kFailed};
  const auto send = [&]() -> ssize_t {
    if (pieces.size() > 1) {
      return syscalls_.sendmsg(fd_, pieces.first(std::min<std::size_t>(pieces.size(), IOV_MAX)));
    }
    // For one piece send() is the shorter way through the kernel.
    return syscalls_.send(fd_, {static_cast<const char*>(pieces[0].iov_base), pieces[0].iov_len});
  };
  return outcome(uninterrupted(send), IoState::kFailed);
}

IoResult SocketStream::write_file(int file, std::uint64_t offset, std::size_t count) noexcept {
  if (!owns()) return {0, IoState::kFailed};
  const ssize_t sent = uninterrupted([&] { return syscalls_.sendfile(fd_, file, offset, count); });
  // Some file systems cannot give pages to the kernel (FUSE, some of /proc).
  if (sent == -EINVAL || sent == -ENOSYS) return copy_file(file, offset, count);
  return outcome(sent, IoState::kEnd);
}

IoResult SocketStream::copy_file(int file, std::uint64_t offset, std::size_t count) noexcept {
  std::array<char, kCopyBytes> buffer;
  const auto room = std::span{buffer}.first(std::min(count, buffer.size()));
  const ssize_t got = uninterrupted([&] { return syscalls_.pread(file, room, offset); });
  if (got < 0) return {0, IoState::kFailed};
  if (got == 0) return {0, IoState::kEnd};
  const iovec piece{buffer.data(), static_cast<std::size_t>(got)};
  return write({&piece, 1});
}

IoResult SocketStream::read_into(Pipe& pipe, std::size_t max) noexcept {
  TERCEL_ASSERT(pipe && pipe.bytes() == 0 && max > 0);
  if (!owns()) return {0, IoState::kFailed};
  const ssize_t got = uninterrupted([&] { return syscalls_.splice(fd_, pipe.write_end(), max); });
  // Of a kernel that has no splice() for this socket, of a sandbox that forbids it.
  if (got == -EINVAL || got == -ENOSYS || got == -EPERM || got == -EOPNOTSUPP) {
    return {0, IoState::kRefused};
  }
  const IoResult result = outcome(got, IoState::kEnd);
  pipe.filled(result.bytes);
  return result;
}

IoResult SocketStream::write_from(Pipe& pipe, std::size_t max) noexcept {
  TERCEL_ASSERT(pipe && max > 0 && max <= pipe.bytes());
  if (!owns()) return {0, IoState::kFailed};
  const ssize_t sent = uninterrupted([&] { return syscalls_.splice(pipe.read_end(), fd_, max); });
  const IoResult result = outcome(sent, IoState::kFailed);
  pipe.drained(result.bytes);
  return result;
}

void SocketStream::shutdown_write() noexcept {
  // Fails when the connection is broken; the next read says so.
  if (owns()) syscalls_.shutdown(fd_, SHUT_WR);
}

void SocketStream::reset_on_close() noexcept {
  if (!owns()) return;
  const linger reset{.l_onoff = 1, .l_linger = 0};
  // Fails on a closed descriptor only. A Unix socket ignores it: closing is all it can do.
  syscalls_.setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

}  // namespace tercel::net
