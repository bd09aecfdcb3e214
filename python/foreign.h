// The descriptors that asyncio watches (its own sockets, pipes, database drivers) on the engine's
// epoll, and which of them are ready.
//
// Events are those of Python's `selectors`: 1 to read, 2 to write. As there, an error or a hang-up
// is both, of which those asked for are reported. Knows no Python object: python/engine.h maps
// descriptors to keys. Resource: one an engine. Thread: the loop's. Source:
// selectors.EpollSelector. Tested by test_engine.py.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "tercel/base/result.h"
#include "tercel/net/loop.h"

namespace tercel::python {

// A set of selectors.EVENT_READ and selectors.EVENT_WRITE.
enum SelectorEvents : std::uint32_t { kEventRead = 1, kEventWrite = 2 };

struct ReadyDescriptor {
  int descriptor;
  std::uint32_t events;
};

class ForeignDescriptors {
 public:
  explicit ForeignDescriptors(net::Loop& loop) noexcept;
  ForeignDescriptors(const ForeignDescriptors&) = delete;
  ForeignDescriptors& operator=(const ForeignDescriptors&) = delete;
  ~ForeignDescriptors();

  // Fails as net::Loop::watch(), or with kIllegalStep when `descriptor` is in the set.
  [[nodiscard]] Result<void> add(int descriptor, std::uint32_t events);
  // Fails as net::Loop::rewatch(), or with kIllegalStep when `descriptor` is not in the set.
  [[nodiscard]] Result<void> change(int descriptor, std::uint32_t events) noexcept;
  // The descriptor may be closed already, or not be in the set: then nothing happens. In a
  // child of fork() this only forgets: net::Loop::unwatch().
  void remove(int descriptor) noexcept;
  void clear() noexcept;

  // What the last dispatch() found. Those removed since stay, as kRemoved, so that a reader of the
  // list may remove any. Valid until the next dispatch() or add().
  static constexpr int kRemoved = -1;
  [[nodiscard]] std::span<const ReadyDescriptor> ready() const noexcept { return ready_; }
  void forget_ready() noexcept { ready_.clear(); }

 private:
  struct Entry;

  net::Loop& loop_;
  std::unordered_map<int, std::unique_ptr<Entry>> entries_;
  std::vector<ReadyDescriptor> ready_;
};

}  // namespace tercel::python
