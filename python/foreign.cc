#include "python/foreign.h"

namespace tercel::python {
namespace {

std::uint32_t readiness_of(std::uint32_t events) noexcept {
  return ((events & kEventRead) != 0 ? net::kReadable : 0U) |
         ((events & kEventWrite) != 0 ? net::kWritable : 0U);
}

}  // namespace

struct ForeignDescriptors::Entry final : net::Watcher {
  Entry(std::vector<ReadyDescriptor>& ready_list, int fd, std::uint32_t wanted_events) noexcept
      : ready{ready_list}, descriptor{fd}, wanted{wanted_events} {}

  // No allocation: add() reserves a place for each descriptor.
  void on_ready(std::uint32_t readiness) noexcept override {
    const std::uint32_t events = ((readiness & ~net::kWritable) != 0 ? kEventRead : 0U) |
                                 ((readiness & ~net::kReadable) != 0 ? kEventWrite : 0U);
    if ((events & wanted) != 0) ready.push_back({descriptor, events & wanted});
  }

  std::vector<ReadyDescriptor>& ready;
  int descriptor;
  std::uint32_t wanted;
  net::WatchId id = net::WatchId::kNone;
};

ForeignDescriptors::ForeignDescriptors(net::Loop& loop) noexcept : loop_{loop} {}

ForeignDescriptors::~ForeignDescriptors() {
  clear();
}

Result<void> ForeignDescriptors::add(int descriptor, std::uint32_t events) {
  if (entries_.contains(descriptor)) return fail(Errc::kIllegalStep);
  auto entry = std::make_unique<Entry>(ready_, descriptor, events);
  if (ready_.capacity() <= entries_.size()) ready_.reserve(2 * entries_.size() + 8);
  auto id = loop_.watch(descriptor, readiness_of(events), net::Trigger::kLevel, *entry);
  if (!id) return fail(id.error());
  entry->id = *id;
  entries_[descriptor] = std::move(entry);
  return {};
}

Result<void> ForeignDescriptors::change(int descriptor, std::uint32_t events) noexcept {
  const auto found = entries_.find(descriptor);
  if (found == entries_.end()) return fail(Errc::kIllegalStep);
  Entry& entry = *found->second;
  entry.wanted = events;
  return loop_.rewatch(entry.id, descriptor, readiness_of(events), net::Trigger::kLevel);
}

void ForeignDescriptors::remove(int descriptor) noexcept {
  const auto found = entries_.find(descriptor);
  if (found == entries_.end()) return;
  loop_.unwatch(found->second->id, descriptor);
  entries_.erase(found);
  for (ReadyDescriptor& ready : ready_) {
    if (ready.descriptor == descriptor) ready.descriptor = kRemoved;
  }
}

void ForeignDescriptors::clear() noexcept {
  while (!entries_.empty()) remove(entries_.begin()->first);
}

}  // namespace tercel::python
