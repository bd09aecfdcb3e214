#include "tercel/server/statistics.h"

#include <sys/mman.h>

#include <cstring>
#include <iterator>

namespace tercel::server {
namespace {

constexpr unsigned kLoopBits = 16;
// Beside the name of an owner that is not one yet.
constexpr std::uint64_t kClaiming = std::uint64_t{1} << 63;

std::uint64_t value(const http::Counters::Number& number) noexcept {
  return number.load(std::memory_order_relaxed);
}

}  // namespace

Result<std::unique_ptr<Statistics>> Statistics::create() {
  // Zero is where every counter begins, so no page has to be touched.
  void* const memory = ::mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return fail(Errc::kNoMemory);
  return std::unique_ptr<Statistics>{new Statistics{static_cast<Memory*>(memory)}};
}

Statistics::~Statistics() {
  ::munmap(memory_, sizeof(Memory));
}

std::size_t Statistics::claim(std::size_t process, std::size_t loop) noexcept {
  if (loop >> kLoopBits != 0 || process >> (62 - kLoopBits) != 0) return kSlotsMax;
  const std::uint64_t name = (std::uint64_t{process} + 1) << kLoopBits | loop;
  for (std::size_t i = 0; i < used(); ++i) {
    if (slots_[i].owner.load(std::memory_order_acquire) == name) return i;
  }
  for (std::size_t i = 0; i < kSlotsMax; ++i) {
    Slot& slot = slots_[i];
    if (slot.owner.load(std::memory_order_relaxed) != 0) continue;
    // Before it is one's: who dies here leaves no owner where nobody looks.
    std::size_t last = used();
    while (last < i + 1 &&
           !memory_->used.compare_exchange_weak(last, i + 1, std::memory_order_acq_rel)) {
    }
    std::uint64_t nobody = 0;
    if (!slot.owner.compare_exchange_strong(nobody, kClaiming | name, std::memory_order_acquire)) {
      continue;
    }
    slot.before = {};
    slot.before.add(slot.counters);
    slot.owner.store(name, std::memory_order_release);
    return i;
  }
  return kSlotsMax;
}

http::Counters* Statistics::slot(std::size_t process, std::size_t loop) noexcept {
  const std::size_t index = claim(process, loop);
  return index != kSlotsMax ? &slots_[index].counters : nullptr;
}

void* Statistics::room(std::size_t process, std::size_t loop) noexcept {
  const std::size_t index = claim(process, loop);
  return index != kSlotsMax ? rooms_[index].data() : nullptr;
}

bool Statistics::belongs_to(std::size_t index, std::size_t process) const noexcept {
  const std::uint64_t owner = slots_[index].owner.load(std::memory_order_acquire);
  return (owner & ~kClaiming) >> kLoopBits == std::uint64_t{process} + 1;
}

// Not while it is being claimed: nothing was counted, and `before` is not complete.
bool Statistics::is_owned_by(std::size_t index, std::size_t process) const noexcept {
  const std::uint64_t owner = slots_[index].owner.load(std::memory_order_acquire);
  return owner >> kLoopBits == std::uint64_t{process} + 1;
}

void Statistics::free(std::size_t index) noexcept {
  Slot& slot = slots_[index];
  for (http::Counters::Number* const gauge :
       {&slot.counters.connections, &slot.counters.active, &slot.counters.waiting}) {
    gauge->store(0, std::memory_order_relaxed);
  }
  std::memset(rooms_[index].data(), 0, kRoomGaugesBytes);
  slot.owner.store(0, std::memory_order_release);
}

Statistics::Numbers Statistics::of(std::size_t process) const noexcept {
  Numbers sum;
  for (std::size_t i = 0; i < used(); ++i) {
    if (!is_owned_by(i, process)) continue;
    sum.add(slots_[i].counters);
    sum -= slots_[i].before;
  }
  return sum;
}

// What others counted there: all of it, until the next owner is one, and may count.
Statistics::Numbers Statistics::retired(Slot& slot) noexcept {
  for (;;) {
    const std::uint64_t owner = slot.owner.load(std::memory_order_acquire);
    Numbers numbers;
    if (owner == 0 || (owner & kClaiming) != 0) {
      numbers.add(slot.counters);
    } else {
      numbers = slot.before;
    }
    // Writes what is there, if it is: what was read before stays before it.
    std::uint64_t still = owner;
    if (slot.owner.compare_exchange_strong(still, owner, std::memory_order_acq_rel)) return numbers;
  }
}

Statistics::Numbers Statistics::retired() const noexcept {
  Numbers sum;
  for (std::size_t i = 0; i < used(); ++i) {
    sum += retired(slots_[i]);
  }
  return sum;
}

Statistics::Numbers Statistics::total() const noexcept {
  Numbers sum;
  for (std::size_t i = 0; i < used(); ++i) sum.add(slots_[i].counters);
  return sum;
}

void Statistics::Numbers::add(const http::Counters& counters) noexcept {
  connections += value(counters.connections);
  active += value(counters.active);
  waiting += value(counters.waiting);
  accepted += value(counters.accepted);
  requests += value(counters.requests);
  for (std::size_t method = 0; method < std::size(by_method); ++method) {
    for (std::size_t i = 0; i < std::size(by_method[method]); ++i) {
      by_method[method][i] += value(counters.by_method[method][i]);
    }
  }
  aborted += value(counters.aborted);
  peer_gone += value(counters.peer_gone);
  request_bytes += value(counters.request_bytes);
  body_bytes += value(counters.body_bytes);
  counters.durations.add_to(durations);
}

Statistics::Numbers& Statistics::Numbers::operator+=(const Numbers& other) noexcept {
  connections += other.connections;
  active += other.active;
  waiting += other.waiting;
  accepted += other.accepted;
  requests += other.requests;
  for (std::size_t method = 0; method < std::size(by_method); ++method) {
    for (std::size_t i = 0; i < std::size(by_method[method]); ++i) {
      by_method[method][i] += other.by_method[method][i];
    }
  }
  aborted += other.aborted;
  peer_gone += other.peer_gone;
  request_bytes += other.request_bytes;
  body_bytes += other.body_bytes;
  for (std::size_t i = 0; i < durations.counts.size(); ++i) {
    durations.counts[i] += other.durations.counts[i];
  }
  durations.microseconds += other.durations.microseconds;
  return *this;
}

Statistics::Numbers& Statistics::Numbers::operator-=(const Numbers& before) noexcept {
  accepted -= before.accepted;
  requests -= before.requests;
  for (std::size_t method = 0; method < std::size(by_method); ++method) {
    for (std::size_t i = 0; i < std::size(by_method[method]); ++i) {
      by_method[method][i] -= before.by_method[method][i];
    }
  }
  aborted -= before.aborted;
  peer_gone -= before.peer_gone;
  request_bytes -= before.request_bytes;
  body_bytes -= before.body_bytes;
  for (std::size_t i = 0; i < durations.counts.size(); ++i) {
    durations.counts[i] -= before.durations.counts[i];
  }
  durations.microseconds -= before.durations.microseconds;
  return *this;
}

std::uint64_t Statistics::Numbers::status(std::size_t first_digit) const noexcept {
  std::uint64_t sum = 0;
  for (const auto& statuses : by_method) sum += statuses[first_digit];
  return sum;
}

}  // namespace tercel::server
