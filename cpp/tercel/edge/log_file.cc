#include "tercel/edge/log_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include "tercel/base/log.h"
#include "tercel/net/syscalls.h"

namespace tercel::edge {
namespace {

// No errno is as large.
constexpr ssize_t kGateTaken = -65536;

constexpr int kOpenFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK;

bool is_regular(int fd) noexcept {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// Another description of what `fd` is connected to, non-blocking without `fd` becoming so, or -1:
// sockets cannot be opened again, nor can a terminal or a pipe of another user.
int open_again(int fd) noexcept {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return ::open(path.c_str(), kOpenFlags);
}

bool has_room(int fd, std::chrono::milliseconds wait) noexcept {
  pollfd entry{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&entry, 1, static_cast<int>(wait.count())) == 1;
}

}  // namespace

int LogFile::open_path(const char* path) noexcept {
  constexpr mode_t kMode = 0644;
  return ::open(path, kOpenFlags | O_CREAT, kMode);
}

Result<std::unique_ptr<LogFile>> LogFile::append_to(net::Loop& loop, const char* path,
                                                    LineGate* gate, const void* who) {
  const int fd = open_path(path);
  if (fd < 0) return fail(Errc::kSystem);
  auto made = make(loop, fd, is_regular(fd) ? Kind::kRegular : Kind::kOwn, gate, who);
  if (!made) return made;
  (*made)->path_ = path;
  (*made)->remember_file();
  return made;
}

Result<std::unique_ptr<LogFile>> LogFile::share(net::Loop& loop, int fd, LineGate* gate,
                                                const void* who) {
  if (const int own = is_regular(fd) ? -1 : open_again(fd); own >= 0) {
    return make(loop, own, Kind::kOwn, gate, who);
  }
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return fail(Errc::kSystem);
  return make(loop, copy, is_regular(copy) ? Kind::kRegular : Kind::kShared, gate, who);
}

Result<std::unique_ptr<LogFile>> LogFile::make(net::Loop& loop, int fd, Kind kind, LineGate* gate,
                                               const void* who) {
  // Not initialised: pages of the buffer that no line reaches cost nothing.
  std::unique_ptr<char[]> buffer{new (std::nothrow) char[kCapacity]};
  LogFile* file =
      buffer ? new (std::nothrow) LogFile{loop, fd, kind, gate, who, std::move(buffer)} : nullptr;
  if (file != nullptr) return std::unique_ptr<LogFile>{file};
  loop.syscalls().close(fd);
  return fail(Errc::kNoMemory);
}

LogFile::LogFile(net::Loop& loop, int fd, Kind kind, LineGate* gate, const void* who,
                 std::unique_ptr<char[]> buffer) noexcept
    : loop_{loop},
      fd_{fd},
      kind_{kind},
      gate_{gate},
      who_{who != nullptr ? who : this},
      buffer_{std::move(buffer)},
      last_look_{loop.now()},
      last_report_{loop.now() - kReportInterval} {}

LogFile::~LogFile() {
  stop_waiting();
  write_out();
  end_line();
  dropped_ += static_cast<std::uint64_t>(std::count(&buffer_[head_], &buffer_[0] + tail_, '\n'));
  if (dropped_ > reported_) report();
  stop_waiting();
  // A copy that fork() made has never been in, by whatever name.
  if (gate_ != nullptr && loop_.in_own_process()) gate_->leave(who_);
  loop_.syscalls().close(fd_);
}

std::span<char> LogFile::room(std::size_t bytes) noexcept {
  if (kCapacity - tail_ < bytes && head_ > 0) {
    std::memmove(&buffer_[0], &buffer_[head_], unwritten());
    tail_ -= head_;
    head_ = 0;
  }
  if (kCapacity - tail_ < bytes) {
    lose_line();
    return {};
  }
  return {&buffer_[tail_], bytes};
}

void LogFile::commit(std::size_t bytes) noexcept {
  tail_ += bytes;
  if (waiting_) return;
  if (unwritten() >= kBatch) {
    flush();
  } else {
    schedule();
  }
}

void LogFile::drop() noexcept {
  error_ = ENOMEM;
  lose_line();
}

void LogFile::lose_line() noexcept {
  ++dropped_;
  if (loop_.now() - last_report_ >= kReportInterval) report();
}

// At once after a pause, at the end of the interval in a busy time.
void LogFile::schedule() noexcept {
  if (queued() || armed()) return;
  if (const auto due = last_flush_ + kInterval; loop_.now() < due) {
    loop_.timers().arm(*this, due);
  } else {
    loop_.defer(*this);
  }
}

void LogFile::flush() noexcept {
  look_at_path();
  write_out();
}

void LogFile::write_out() noexcept {
  last_flush_ = loop_.now();
  // The lines of a copy that fork() made are the parent's, who writes them itself.
  if (!loop_.in_own_process()) head_ = tail_ = 0;
  while (unwritten() > 0) {
    const ssize_t written = write_some();
    if (written == -EINTR) continue;
    if (written == kGateTaken || written == -EAGAIN) {
      error_ = 0;
      return written == -EAGAIN ? wait_for_reader() : pause(kGateInterval);
    }
    if (written < 0) {
      error_ = static_cast<int>(-written);
      return pause(kRetryInterval);
    }
    head_ += static_cast<std::size_t>(written);
  }
  head_ = tail_ = 0;
  error_ = 0;
}

// A file that was moved away is given until the next look: a tool that rotates logs puts a new one
// there itself, with the owner and the mode that it wants.
void LogFile::look_at_path() noexcept {
  if (reopen_asked_.exchange(false, std::memory_order_relaxed)) return reopen();
  if (path_.empty() || loop_.now() - last_look_ < kLookInterval) return;
  last_look_ = loop_.now();
  struct stat there {};
  const bool found = ::stat(path_.c_str(), &there) == 0;
  const bool was_missing = std::exchange(missing_, !found);
  const bool same = there.st_dev == device_ && there.st_ino == inode_;
  if (found ? !same : was_missing) reopen();
}

void LogFile::reopen() noexcept {
  if (path_.empty()) return;
  const int fd = open_path(path_.c_str());
  if (fd < 0) return tell_not_reopened(errno);
  stop_waiting();
  loop_.timers().cancel(*this);
  loop_.syscalls().close(fd_);
  fd_ = fd;
  kind_ = is_regular(fd) ? Kind::kRegular : Kind::kOwn;
  told_not_reopened_ = false;
  remember_file();
  write_out();
}

void LogFile::remember_file() noexcept {
  struct stat opened {};
  if (::fstat(fd_, &opened) < 0) return;
  device_ = opened.st_dev;
  inode_ = opened.st_ino;
  missing_ = false;
}

void LogFile::tell_not_reopened(int error) noexcept {
  if (std::exchange(told_not_reopened_, true)) return;
  log(LogLevel::kWarning, "the access log cannot be opened again, so the old file goes on: " +
                              std::generic_category().message(error));
}

void LogFile::end_line() noexcept {
  while (in_line_ && unwritten() > 0 && has_room(fd_, kLastWait)) {
    const std::string_view piece = next_piece();
    const std::size_t bytes = std::min(piece.find('\n'), piece.size() - 1) + 1;
    const ssize_t written = loop_.syscalls().write(fd_, piece.substr(0, bytes));
    if (written <= 0) return;
    head_ += static_cast<std::size_t>(written);
    in_line_ = buffer_[head_ - 1] != '\n';
  }
}

// Returns what write(2) does, or kGateTaken.
ssize_t LogFile::write_some() noexcept {
  if (gate_ != nullptr && !gate_->enter(who_)) return kGateTaken;
  const std::string_view piece = next_piece();
  const ssize_t written = write_if_room(piece);
  if (written > 0) in_line_ = piece[static_cast<std::size_t>(written) - 1] != '\n';
  if (gate_ != nullptr && !in_line_) gate_->leave(who_);
  return written;
}

ssize_t LogFile::write_if_room(std::string_view piece) noexcept {
  if (kind_ == Kind::kShared && !has_room(fd_, std::chrono::milliseconds{0})) return -EAGAIN;
  return loop_.syscalls().write(fd_, piece);
}

void LogFile::pause(std::chrono::nanoseconds time) noexcept {
  waiting_ = true;
  loop_.timers().arm(*this, loop_.now() + time);
}

// For a pipe, as many whole lines as PIPE_BUF takes: such a write is not mixed with others'.
std::string_view LogFile::next_piece() const noexcept {
  const std::string_view all{&buffer_[head_], unwritten()};
  if (kind_ == Kind::kRegular || all.size() <= PIPE_BUF) return all;
  const std::size_t end = all.substr(0, PIPE_BUF).rfind('\n');
  return all.substr(0, end == std::string_view::npos ? PIPE_BUF : end + 1);
}

void LogFile::wait_for_reader() noexcept {
  waiting_ = true;
  if (watch_ != net::WatchId::kNone) return;
  if (const auto watch = loop_.watch(fd_, net::kWritable, net::Trigger::kLevel, *this)) {
    watch_ = *watch;
  } else {
    loop_.timers().arm(*this, loop_.now() + kInterval);
  }
}

void LogFile::stop_waiting() noexcept {
  waiting_ = false;
  if (watch_ == net::WatchId::kNone) return;
  loop_.unwatch(watch_, fd_);
  watch_ = net::WatchId::kNone;
}

void LogFile::on_ready(std::uint32_t /*readiness*/) noexcept {
  stop_waiting();
  flush();
}

void LogFile::on_timer() noexcept {
  stop_waiting();
  flush();
}

void LogFile::run_deferred() noexcept {
  flush();
}

void LogFile::report() noexcept {
  const std::string reason =
      error_ == 0 ? "its reader is slow or stuck" : std::generic_category().message(error_);
  log(LogLevel::kWarning,
      "the access log lost " + std::to_string(dropped_ - reported_) + " line(s): " + reason);
  reported_ = dropped_;
  last_report_ = loop_.now();
}

}  // namespace tercel::edge
