#include "tercel/net/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <iterator>
#include <utility>

#include "tercel/base/assert.h"

namespace tercel::net {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint32_t kEpollBits[] = {EPOLLIN,  EPOLLOUT,   EPOLLERR,
                                        EPOLLHUP, EPOLLRDHUP, EPOLLEXCLUSIVE};
constexpr std::uint32_t kOurBits[] = {kReadable, kWritable,   kError,
                                      kHangup,   kPeerClosed, kExclusive};
static_assert(std::equal(std::begin(kEpollBits), std::end(kEpollBits), std::begin(kOurBits)));

// What the kernel keeps for us and gives back with each event.
constexpr std::uint64_t event_name(int fd, std::uint32_t generation) noexcept {
  return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
}

epoll_event make_event(int fd, std::uint32_t generation, std::uint32_t readiness,
                       Trigger trigger) noexcept {
  epoll_event event{};
  event.events = readiness | (trigger == Trigger::kEdge ? std::uint32_t{EPOLLET} : 0U);
  event.data.u64 = event_name(fd, generation);
  return event;
}

}  // namespace

Loop::Loop(const Clock& clock, Syscalls& syscalls)
    : clock_{clock},
      syscalls_{syscalls},
      now_{clock.now()},
      events_{std::make_unique<epoll_event[]>(kEventsMax)},
      pipes_{clock, timers_, syscalls} {
  timers_.advance(now_);
}

Result<std::unique_ptr<Loop>> Loop::create(const Clock& clock, Syscalls& syscalls) {
  std::unique_ptr<Loop> loop{new Loop(clock, syscalls)};  // The constructor is private.
  if (auto opened = loop->open(); !opened) return fail(opened.error());
  return loop;
}

Result<void> Loop::open() noexcept {
  scratch_ = Pages::map(kScratchBytes);
  if (!scratch_) return fail(Errc::kNoMemory);
  epoll_fd_ = syscalls_.epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return fail(error_of_call(epoll_fd_));
  wake_fd_ = syscalls_.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) return fail(error_of_call(wake_fd_));
  const auto id = watch(wake_fd_, kReadable, Trigger::kEdge, wake_watcher_);
  if (!id) return fail(id.error());
  return {};
}

Loop::~Loop() {
  close_alarm();
  if (wake_fd_ >= 0) syscalls_.close(wake_fd_);
  if (epoll_fd_ >= 0) syscalls_.close(epoll_fd_);
}

// --- descriptors

Failure Loop::refused(int result) noexcept {
  last_errno_ = -result;
  return fail(result == -ENOMEM ? Errc::kNoMemory : Errc::kSystem);
}

// The registration that `id` names, or null when it is gone.
WatchTable::Entry* Loop::find(WatchId id, int fd) noexcept {
  WatchTable::Entry* entry = watches_.find(fd);
  const bool same = entry != nullptr && entry->watcher != nullptr &&
                    entry->generation == static_cast<std::uint32_t>(id);
  return same ? entry : nullptr;
}

Result<WatchId> Loop::watch(int fd, std::uint32_t readiness, Trigger trigger,
                            Watcher& watcher) noexcept {
  if (fd < 0) return refused(-EBADF);
  WatchTable::Entry* entry = watches_.make(fd);
  if (entry == nullptr) return refused(-ENOMEM);
  const std::uint32_t generation = entry->generation == UINT32_MAX ? 1 : entry->generation + 1;
  epoll_event event = make_event(fd, generation, readiness, trigger);
  // When the kernel takes it, the number is a new descriptor, and a watcher that still stands here
  // had its own closed by somebody else.
  int result = syscalls_.epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event);
  if (result == -EEXIST && entry->watcher == nullptr) {
    result = syscalls_.epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event);
  }
  if (result < 0) return refused(result);
  *entry = {&watcher, generation};
  return WatchId{generation};
}

Result<void> Loop::rewatch(WatchId id, int fd, std::uint32_t readiness, Trigger trigger) noexcept {
  const WatchTable::Entry* entry = find(id, fd);
  if (entry == nullptr) return refused(-ENOENT);
  epoll_event event = make_event(fd, entry->generation, readiness, trigger);
  const int result = syscalls_.epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event);
  if (result < 0) return refused(result);
  return {};
}

void Loop::unwatch(WatchId id, int fd) noexcept {
  WatchTable::Entry* entry = find(id, fd);
  if (entry == nullptr) return;
  entry->watcher = nullptr;
  if (!in_own_process()) return;
  // Fails when somebody else closed the descriptor. Then the kernel has forgotten it already,
  // unless a copy of it lives on.
  epoll_event ignored{};
  if (syscalls_.epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, &ignored) < 0) removal_failed_ = true;
}

bool Loop::has_event(WatchId id, int fd) const noexcept {
  const std::uint64_t name = event_name(fd, static_cast<std::uint32_t>(id));
  const epoll_event* const events = events_.get();
  return std::any_of(events + next_event_, events + event_count_,
                     [name](const epoll_event& event) { return event.data.u64 == name; });
}

// --- later work

void Loop::defer(Deferred& work) noexcept {
  if (work.queued()) return;
  const bool first = deferred_.empty();
  deferred_.push_back(work);
  if (nested_ && first && !dispatching_) wake();
}

std::span<char> Loop::borrow_scratch() noexcept {
  if (std::exchange(scratch_lent_, true)) return {};
  return scratch_.span();
}

// --- turning

nanoseconds Loop::bounded(nanoseconds timeout) const noexcept {
  if (!deferred_.empty() || timeout == nanoseconds{0}) return nanoseconds{0};
  if (timers_.armed() == 0) return timeout;
  // The clock is read again: the last turn may have been long.
  const nanoseconds next = timers_.until_next(clock_.now());
  return timeout < nanoseconds{0} ? next : std::min(timeout, next);
}

Result<int> Loop::wait(nanoseconds timeout) noexcept {
  if (next_event_ < event_count_) return event_count_ - next_event_;
  // A child of fork() would take the parent's events: they share the epoll.
  if (!in_own_process()) return refused(-EBADF);
  const std::span<epoll_event> room{events_.get(), kEventsMax};
  int taken = syscalls_.epoll_wait(epoll_fd_, room, bounded(timeout));
  // A signal, or a process that was stopped for a while: what has come meanwhile is taken before
  // time limits are looked at.
  if (taken == -EINTR) taken = syscalls_.epoll_wait(epoll_fd_, room, nanoseconds{0});
  now_ = clock_.now();
  next_event_ = 0;
  event_count_ = std::max(taken, 0);
  if (taken < 0 && taken != -EINTR) return refused(taken);
  return event_count_;
}

void Loop::dispatch() noexcept {
  if (TERCEL_BUG_IF(dispatching_)) return;
  dispatching_ = true;
  const bool more_events = event_count_ == kEventsMax;
  run_deferred();
  run_events();
  run_timers(more_events);
  dispatching_ = false;
  if (!nested_) return;
  if (!deferred_.empty()) wake();
  set_alarm();
}

void Loop::run_deferred() noexcept {
  IntrusiveList<Deferred> work;
  work.take_all(deferred_);
  while (Deferred* next = work.pop_front()) next->run_deferred();
}

void Loop::run_events() noexcept {
  while (next_event_ < event_count_ && in_own_process()) {
    const epoll_event& event = events_[static_cast<std::size_t>(next_event_++)];
    const int fd = static_cast<int>(event.data.u64 & UINT32_MAX);
    const auto id = static_cast<WatchId>(event.data.u64 >> 32);
    if (const WatchTable::Entry* entry = find(id, fd)) {
      entry->watcher->on_ready(event.events);
    } else if (removal_failed_ && watches_.find(fd)->watcher == nullptr) {
      // Usually removed by a watcher that ran before it in this turn. But a descriptor that was
      // closed by somebody else while a copy of it lives on is still registered: drop it, if that
      // is possible at all, so that it does not keep the loop awake. Not without such a case: the
      // number may be another thread's by now.
      epoll_event ignored{};
      syscalls_.epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, &ignored);
    }
  }
  next_event_ = event_count_ = 0;
}

void Loop::run_timers(bool more_events) noexcept {
  if (more_events && ++full_turns_ < kFullTurnsMax) return;
  full_turns_ = 0;
  timers_.advance(now_);
}

Result<void> Loop::run() noexcept {
  while (!stopping_) {
    if (auto events = wait(nanoseconds{-1}); !events) return fail(events.error());
    dispatch();
  }
  stopping_ = false;
  return {};
}

void Loop::wake() noexcept {
  const auto one = std::bit_cast<std::array<char, sizeof(std::uint64_t)>>(std::uint64_t{1});
  // Fails only when the counter is full, after 2^64 calls.
  syscalls_.write(wake_fd_, one);
}

// --- being nested

Result<void> Loop::set_nested(bool nested) noexcept {
  if (nested == nested_) return {};
  if (nested) {
    if (auto opened = open_alarm(); !opened) return opened;
    if (!deferred_.empty()) wake();
    set_alarm();
  } else {
    close_alarm();
  }
  nested_ = nested;
  return {};
}

Result<void> Loop::open_alarm() noexcept {
  const int fd = syscalls_.timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0) return fail(error_of_call(fd));
  const auto id = watch(fd, kReadable, Trigger::kEdge, alarm_watcher_);
  if (!id) {
    syscalls_.close(fd);
    return fail(id.error());
  }
  alarm_fd_ = fd;
  alarm_id_ = *id;
  return {};
}

void Loop::close_alarm() noexcept {
  if (alarm_fd_ < 0) return;
  timers_.stop_observing();
  unwatch(alarm_id_, alarm_fd_);
  syscalls_.close(std::exchange(alarm_fd_, -1));
  alarm_due_ = nanoseconds::max();
}

// Makes the alarm ring when the next timer is due. One that rings too early stays as it is: it is
// cheaper to look once in vain than to set it with every timer that moves.
void Loop::set_alarm() noexcept {
  const nanoseconds now = clock_.now();
  const nanoseconds until = timers_.until_next(now);
  if (until >= nanoseconds{0} && now + until < alarm_due_) {
    const nanoseconds delay = std::max(until, nanoseconds{1});  // 0 would switch it off.
    const auto seconds = std::chrono::floor<std::chrono::seconds>(delay);
    const itimerspec value{.it_interval = {},
                           .it_value = {.tv_sec = static_cast<time_t>(seconds.count()),
                                        .tv_nsec = (delay - seconds).count()}};
    if (syscalls_.timerfd_settime(alarm_fd_, 0, &value) == 0) alarm_due_ = now + until;
  }
  timers_.observe_before(alarm_due_, *this);
}

void Loop::on_earlier_timer() noexcept {
  if (!dispatching_) set_alarm();  // Else dispatch() does it in the end.
}

void Loop::AlarmWatcher::on_ready(std::uint32_t) noexcept {
  loop_.alarm_due_ = nanoseconds::max();
}

}  // namespace tercel::net
