#include "tercel/net/watch_table.h"

#include <algorithm>
#include <cstdlib>

namespace tercel::net {

WatchTable::~WatchTable() {
  for (std::size_t i = 0; i < page_count_; ++i) std::free(pages_[i]);
  std::free(pages_);
}

WatchTable::Entry* WatchTable::make(int fd) noexcept {
  const std::size_t page = static_cast<std::size_t>(fd) / kPageEntries;
  if (page >= page_count_) {
    // NOLINTNEXTLINE(bugprone-sizeof-expression): it is a table of pointers.
    void* memory = std::realloc(pages_, (page + 1) * sizeof(Entry*));
    if (memory == nullptr) return nullptr;
    pages_ = static_cast<Entry**>(memory);
    std::fill(pages_ + page_count_, pages_ + page + 1, nullptr);
    page_count_ = page + 1;
  }
  if (pages_[page] == nullptr) {
    pages_[page] = static_cast<Entry*>(std::calloc(kPageEntries, sizeof(Entry)));
  }
  return find(fd);
}

}  // namespace tercel::net
