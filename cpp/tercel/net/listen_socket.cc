#include "tercel/net/listen_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "tercel/net/socket_address.h"

namespace tercel::net {
namespace {

constexpr int kSocketType = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

// REQUIRES: path fits, with a zero byte behind it.
SocketAddress unix_address(std::string_view path) noexcept {
  sockaddr_un socket{};
  socket.sun_family = AF_UNIX;
  path.copy(socket.sun_path, path.size());
  SocketAddress address;
  std::memcpy(&address.storage, &socket, sizeof socket);
  address.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

std::string path_of(const SocketAddress& address) {
  constexpr std::size_t kStart = offsetof(sockaddr_un, sun_path);
  if (address.storage.ss_family != AF_UNIX || address.bytes <= kStart) return {};
  std::string path(reinterpret_cast<const char*>(&address.storage) + kStart,
                   address.bytes - kStart);
  // A name in the file system ends with a zero byte, an abstract one begins with it.
  if (path[0] != '\0') path.resize(std::strlen(path.c_str()));
  return path;
}

Result<ListenSocket> failed(int result) noexcept {
  return fail(error_of_call(result));
}

int set_option(Syscalls& syscalls, int fd, int level, int name, int value) noexcept {
  return syscalls.setsockopt(fd, level, name, &value, sizeof value);
}

// Set once on the listening socket: accepted ones inherit all of it on Linux, which saves the calls
// for each.
int set_inherited(Syscalls& syscalls, int fd, const ListenOptions& options) noexcept {
  constexpr int kQuestions = 3;
  const auto idle_s = static_cast<int>(options.keepalive.count());
  const auto user_ms = static_cast<int>(options.user_timeout.count());
  const struct {
    bool wanted;
    int level;
    int name;
    int value;
  } all[] = {
      {idle_s > 0, SOL_SOCKET, SO_KEEPALIVE, 1},
      {idle_s > 0, IPPROTO_TCP, TCP_KEEPIDLE, idle_s},
      {idle_s > 0, IPPROTO_TCP, TCP_KEEPINTVL, std::max(1, idle_s / kQuestions)},
      {idle_s > 0, IPPROTO_TCP, TCP_KEEPCNT, kQuestions},
      {user_ms > 0, IPPROTO_TCP, TCP_USER_TIMEOUT, user_ms},
      {options.fast_open > 0, IPPROTO_TCP, TCP_FASTOPEN, options.fast_open},
  };
  for (const auto& [wanted, level, name, value] : all) {
    if (!wanted) continue;
    const int result = set_option(syscalls, fd, level, name, value);
    if (result < 0) return result;
  }
  return 0;
}

}  // namespace

Result<ListenSocket> ListenSocket::tcp(Syscalls& syscalls, std::string_view host,
                                       std::uint16_t port, const ListenOptions& options) {
  const auto address = parse_ip(host, port);
  if (!address) return fail(address.error());
  const SocketAddress wanted = to_socket_address(*address);
  const int fd = syscalls.socket(wanted.storage.ss_family, kSocketType);
  if (fd < 0) return failed(fd);
  ListenSocket socket{syscalls, fd};
  if (address->kind == AddressKind::kIpv6) {
    const int result = socket.set(IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only ? 1 : 0);
    if (result < 0) return failed(result);
  }
  if (int result = socket.set_tcp_options(options); result < 0) return failed(result);
  if (int result = syscalls.bind(fd, wanted.get(), wanted.bytes); result < 0) return failed(result);
  if (int result = socket.finish(options); result < 0) return failed(result);
  return socket;
}

Result<ListenSocket> ListenSocket::unix_path(Syscalls& syscalls, std::string_view path,
                                             const ListenOptions& options) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path) ||
      path.find('\0') != std::string_view::npos) {
    return fail(Errc::kAddressInvalid);
  }
  const int fd = syscalls.socket(AF_UNIX, kSocketType);
  if (fd < 0) return failed(fd);
  ListenSocket socket{syscalls, fd};
  socket.path_ = path;
  if (int result = socket.bind_path(); result < 0) return failed(result);
  socket.own_path();
  // Nobody can connect before listen(): the permissions are in force in time.
  const int result = syscalls.chmod(socket.path_.c_str(), options.unix_mode);
  if (result < 0) return failed(result);
  if (int finished = socket.finish(options); finished < 0) return failed(finished);
  return socket;
}

Result<ListenSocket> ListenSocket::adopt(Syscalls& syscalls, int fd, const ListenOptions& options) {
  int listening = 0;
  socklen_t bytes = sizeof listening;
  int result = syscalls.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &bytes);
  if (result == -EBADF || result == -ENOTSOCK || (result == 0 && listening == 0)) {
    return fail(Errc::kAddressInvalid);
  }
  if (result < 0) return failed(result);
  result = syscalls.set_nonblocking_cloexec(fd);
  if (result < 0) return failed(result);
  SocketAddress bound;
  result = syscalls.getsockname(fd, bound.get(), &bound.bytes);
  if (result < 0) return failed(result);
  const Address address = from_socket_address(bound);
  if (address.kind != AddressKind::kUnix) {
    // Slower without, not wrong.
    static_cast<void>(set_option(syscalls, fd, IPPROTO_TCP, TCP_NODELAY, 1));
    result = set_inherited(syscalls, fd, options);
    if (result < 0) return failed(result);
  }
  ListenSocket socket{syscalls, fd};
  socket.address_ = address;
  socket.path_ = path_of(bound);
  return socket;
}

Result<ListenSocket> ListenSocket::duplicate() const {
  const int fd = syscalls_->duplicate(fd_);
  if (fd < 0) return failed(fd);
  ListenSocket socket{*syscalls_, fd};
  socket.shared_ = true;
  socket.address_ = address_;
  socket.path_ = path_;
  return socket;
}

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : syscalls_{other.syscalls_},
      fd_{std::exchange(other.fd_, -1)},
      shared_{other.shared_},
      address_{other.address_},
      path_{std::move(other.path_)},
      device_{other.device_},
      inode_{std::exchange(other.inode_, 0)},
      mark_{other.mark_} {}

ListenSocket& ListenSocket::operator=(ListenSocket&& other) noexcept {
  ListenSocket taken{std::move(other)};
  std::swap(syscalls_, taken.syscalls_);
  std::swap(fd_, taken.fd_);
  std::swap(shared_, taken.shared_);
  std::swap(address_, taken.address_);
  std::swap(path_, taken.path_);
  std::swap(device_, taken.device_);
  std::swap(inode_, taken.inode_);
  std::swap(mark_, taken.mark_);
  return *this;
}

std::string ListenSocket::url(std::string_view scheme) const {
  if (address_.kind == AddressKind::kUnix) return "unix:" + path_;
  std::array<char, Address::kHostBytesMax> room;
  const std::string host{address_.host(room)};
  return std::string{scheme} + "://" +
         (address_.kind == AddressKind::kIpv6 ? "[" + host + "]" : host) + ":" +
         std::to_string(address_.port);
}

void ListenSocket::close() noexcept {
  if (fd_ < 0) return;
  remove_file();
  syscalls_->close(std::exchange(fd_, -1));
}

int ListenSocket::set(int level, int name, int value) noexcept {
  return set_option(*syscalls_, fd_, level, name, value);
}

int ListenSocket::set_tcp_options(const ListenOptions& options) noexcept {
  if (int result = set(SOL_SOCKET, SO_REUSEADDR, 1); result < 0) return result;
  if (options.reuse_port) {
    if (int result = set(SOL_SOCKET, SO_REUSEPORT, 1); result < 0) return result;
  }
  if (int result = set(IPPROTO_TCP, TCP_NODELAY, 1); result < 0) return result;
  return set_inherited(*syscalls_, fd_, options);
}

// Starts to listen, and learns the address that was really bound.
int ListenSocket::finish(const ListenOptions& options) noexcept {
  if (int result = syscalls_->listen(fd_, options.backlog); result < 0) return result;
  SocketAddress bound;
  if (int result = syscalls_->getsockname(fd_, bound.get(), &bound.bytes); result < 0) {
    return result;
  }
  address_ = from_socket_address(bound);
  return 0;
}

int ListenSocket::bind_path() noexcept {
  const SocketAddress address = unix_address(path_);
  const int result = syscalls_->bind(fd_, address.get(), address.bytes);
  if (result != -EADDRINUSE || !path_is_stale()) return result;
  if (int removed = syscalls_->unlink(path_.c_str()); removed < 0 && removed != -ENOENT) {
    return removed;
  }
  return syscalls_->bind(fd_, address.get(), address.bytes);
}

// True when the path is a socket that refuses connections: its owner ended without removing it.
bool ListenSocket::path_is_stale() noexcept {
  struct stat file {};
  const int found = syscalls_->lstat(path_.c_str(), &file);
  if (found == -ENOENT) return true;  // It has just gone.
  if (found < 0 || !S_ISSOCK(file.st_mode)) return false;
  const int probe = syscalls_->socket(AF_UNIX, kSocketType);
  if (probe < 0) return false;
  const SocketAddress address = unix_address(path_);
  const int connected = syscalls_->connect(probe, address.get(), address.bytes);
  syscalls_->close(probe);
  return connected == -ECONNREFUSED || connected == -ENOENT;
}

void ListenSocket::own_path() noexcept {
  struct stat file {};
  if (syscalls_->lstat(path_.c_str(), &file) < 0) return;  // Then it is left behind, as stale.
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

void ListenSocket::remove_file() noexcept {
  if (inode_ == 0 || !mark_.here()) return;
  struct stat file {};
  const bool there = syscalls_->lstat(path_.c_str(), &file) == 0;
  if (there && file.st_dev == device_ && file.st_ino == inode_) syscalls_->unlink(path_.c_str());
  inode_ = 0;
}

}  // namespace tercel::net
