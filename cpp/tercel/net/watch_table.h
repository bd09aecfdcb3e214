// Who watches a descriptor: an entry for each number, found by it.
//
// In pages, made when the first of their numbers comes and kept: entries never move, and a process
// with ten thousand descriptors pays for as many, not for a table that was doubled or copied.
// Resource: lives in its loop. Thread: the loop's. Cost: constant. Tested through loop_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tercel::net {

class Watcher;

class WatchTable {
 public:
  struct Entry {
    Watcher* watcher;          // Null: none.
    std::uint32_t generation;  // Of the present or last registration; it is the WatchId.
  };

  WatchTable() noexcept = default;
  WatchTable(const WatchTable&) = delete;
  WatchTable& operator=(const WatchTable&) = delete;
  ~WatchTable();

  // Null when there is none: `fd` is negative, or make() was not asked for it or its neighbours.
  [[nodiscard]] Entry* find(int fd) noexcept {
    const auto index = static_cast<std::size_t>(fd);  // Negative ones are beyond every page.
    if (index / kPageEntries >= page_count_) return nullptr;
    Entry* page = pages_[index / kPageEntries];
    return page != nullptr ? &page[index % kPageEntries] : nullptr;
  }
  // As find(), and makes what is missing. Null when memory is exhausted. REQUIRES: fd >= 0.
  [[nodiscard]] Entry* make(int fd) noexcept;

 private:
  static constexpr std::size_t kPageEntries = 256;

  Entry** pages_ = nullptr;  // Owned, as the pages are; null where there is no page yet.
  std::size_t page_count_ = 0;
};

}  // namespace tercel::net
