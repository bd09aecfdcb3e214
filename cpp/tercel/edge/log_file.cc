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
#include <thread>
#include <utility>

#include "tercel/base/log.h"
#include "tercel/net/syscalls.h"

namespace tercel::edge {

using namespace std::chrono_literals;

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
      last_report_{loop.now() - kReportInterval} {
  remember_file();
}

LogFile::~LogFile() {
  stop_waiting();
  write_out();
  wait_at_gate();
  end_line();
  lose_unwritten();
  if (dropped_ > reported_) report();
  stop_waiting();
  leave_gate();
  close_file();
}

std::span<char> LogFile::room(std::size_t bytes) noexcept {
  if (kCapacity - tail_ < bytes && head_ > 0) {
    std::memmove(&buffer_[0], &buffer_[head_], unwritten());
    tail_ -= head_;
    head_ = 0;
  }
  if (kCapacity - tail_ < bytes) {
    lose(1);
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
  lose(1);
}

void LogFile::lose_unwritten() noexcept {
  const auto lines = std::count(&buffer_[head_], &buffer_[0] + tail_, '\n');
  head_ = tail_ = 0;
  if (lines > 0) lose(static_cast<std::uint64_t>(lines));
}

// The descriptor is not ours any more. What has no path has nowhere to go.
void LogFile::give_up_line() noexcept {
  in_line_ = false;
  leave_gate();
  if (path_.empty()) lose_unwritten();
}

void LogFile::lose(std::uint64_t lines) noexcept {
  dropped_ += lines;
  loss_error_ = error_;
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
    if (written == kGateTaken) return pause(kGateInterval);
    if (written == -EAGAIN) {
      error_ = 0;
      return wait_for_reader();
    }
    if (written < 0) {
      error_ = static_cast<int>(-written);
      if (error_ == EBADF) give_up_line();
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
  if (reopen_asked_.exchange(false, std::memory_order_relaxed) || !is_ours()) return reopen();
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
  leave_gate();
  close_file();
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

// The application may have closed the number. Then it can be a client's connection by now.
bool LogFile::is_ours() const noexcept {
  struct stat there {};
  return ::fstat(fd_, &there) == 0 && there.st_dev == device_ && there.st_ino == inode_;
}

void LogFile::close_file() noexcept {
  if (is_ours()) loop_.syscalls().close(fd_);
}

void LogFile::tell_not_reopened(int error) noexcept {
  if (std::exchange(told_not_reopened_, true)) return;
  log(LogLevel::kWarning, "the " + std::string{name_} +
                              " cannot be opened again, so the old file goes on: " +
                              std::generic_category().message(error));
}

// At the end. Others are in for one write, or for as long as their reader takes for a line.
void LogFile::wait_at_gate() noexcept {
  for (auto left = kLastWait; kept_out_ && unwritten() > 0 && left > 0ms; left -= 1ms) {
    std::this_thread::sleep_for(1ms);
    write_out();
  }
}

void LogFile::end_line() noexcept {
  while (in_line_ && unwritten() > 0 && is_ours() && has_room(fd_, kLastWait)) {
    const std::string_view piece = next_piece();
    const std::size_t bytes = std::min(piece.find('\n'), piece.size() - 1) + 1;
    const ssize_t written = loop_.syscalls().write(fd_, piece.substr(0, bytes));
    if (written <= 0) return;
    head_ += static_cast<std::size_t>(written);
    in_line_ = buffer_[head_ - 1] != '\n';
  }
}

// Writes to a regular file are one system call, in one piece, unless the disk is full: who stood in
// the gate until there is room would keep the others from finding it.
bool LogFile::uses_gate() const noexcept {
  return gate_ != nullptr && kind_ != Kind::kRegular;
}

// A copy that fork() made has never been in, by whatever name.
void LogFile::leave_gate() noexcept {
  if (gate_ != nullptr && loop_.in_own_process()) gate_->leave(who_);
}

// Returns what write(2) does, or kGateTaken.
ssize_t LogFile::write_some() noexcept {
  kept_out_ = uses_gate() && !gate_->enter(who_);
  if (kept_out_) return kGateTaken;
  const std::string_view piece = next_piece();
  const ssize_t written = write_if_room(piece);
  if (written > 0) in_line_ = piece[static_cast<std::size_t>(written) - 1] != '\n';
  if (uses_gate() && !in_line_) gate_->leave(who_);
  return written;
}

ssize_t LogFile::write_if_room(std::string_view piece) noexcept {
  if (!is_ours()) return -EBADF;
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
  const std::string reason = loss_error_ == 0 ? "its reader is slow or stuck"
                                              : std::generic_category().message(loss_error_);
  log(LogLevel::kWarning, "the " + std::string{name_} + " lost " +
                              std::to_string(dropped_ - reported_) + " line(s): " + reason);
  reported_ = dropped_;
  last_report_ = loop_.now();
}

}  // namespace tercel::edge
