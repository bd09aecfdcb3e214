#include "tercel/server/statistics.h"

#include <sys/mman.h>

#include <iterator>
#include <memory>

namespace tercel::server {
namespace {

constexpr std::size_t kCount = Statistics::kProcessesMax * Statistics::kLoopsMax;
constexpr std::size_t kBytes = kCount * sizeof(http::Counters);

std::uint64_t value(const http::Counters::Number& number) noexcept {
  return number.load(std::memory_order_relaxed);
}

}  // namespace

Result<std::unique_ptr<Statistics>> Statistics::create() {
  // Zero is where every counter begins, so no page has to be touched.
  void* const memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return fail(Errc::kNoMemory);
  return std::unique_ptr<Statistics>{new Statistics{static_cast<http::Counters*>(memory)}};
}

Statistics::~Statistics() {
  ::munmap(counters_, kBytes);
}

http::Counters* Statistics::slot(std::size_t process, std::size_t loop) noexcept {
  if (process >= kProcessesMax || loop >= kLoopsMax) return nullptr;
  return counters_ + process * kLoopsMax + loop;
}

Statistics::Numbers Statistics::of(std::size_t process) const noexcept {
  Numbers sum;
  if (process >= kProcessesMax) return sum;
  for (std::size_t i = 0; i < kLoopsMax; ++i) sum.add(counters_[process * kLoopsMax + i]);
  return sum;
}

void Statistics::retire(std::size_t process) noexcept {
  if (process >= kProcessesMax) return;
  for (std::size_t i = 0; i < kLoopsMax; ++i) {
    http::Counters& counters = counters_[process * kLoopsMax + i];
    retired_.add(counters, /*with_gauges=*/false);
    std::destroy_at(&counters);
    std::construct_at(&counters);
  }
}

void Statistics::Numbers::add(const http::Counters& counters, bool with_gauges) noexcept {
  if (with_gauges) {
    connections += value(counters.connections);
    active += value(counters.active);
    waiting += value(counters.waiting);
  }
  accepted += value(counters.accepted);
  requests += value(counters.requests);
  for (std::size_t i = 0; i < counters.statuses.size(); ++i) {
    statuses[i] += value(counters.statuses[i]);
  }
  aborted += value(counters.aborted);
  peer_gone += value(counters.peer_gone);
  body_bytes += value(counters.body_bytes);
}

Statistics::Numbers& Statistics::Numbers::operator+=(const Numbers& other) noexcept {
  connections += other.connections;
  active += other.active;
  waiting += other.waiting;
  accepted += other.accepted;
  requests += other.requests;
  for (std::size_t i = 0; i < std::size(statuses); ++i) statuses[i] += other.statuses[i];
  aborted += other.aborted;
  peer_gone += other.peer_gone;
  body_bytes += other.body_bytes;
  return *this;
}

}  // namespace tercel::server
