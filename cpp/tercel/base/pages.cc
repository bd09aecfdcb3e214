#include "tercel/base/pages.h"

#include <sys/mman.h>

namespace tercel {

Pages Pages::map(std::size_t bytes) noexcept {
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Pages pages;
  if (memory != MAP_FAILED) pages.memory_ = {static_cast<char*>(memory), bytes};
  return pages;
}

Pages::~Pages() {
  if (!memory_.empty()) ::munmap(memory_.data(), memory_.size());
}

}  // namespace tercel
