#include "tercel/base/pages.h"

#include <sys/mman.h>

namespace tercel {

Pages Pages::map(std::size_t bytes) noexcept {
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? Pages{} : adopt({static_cast<char*>(memory), bytes});
}

Pages Pages::adopt(std::span<char> memory) noexcept {
  Pages pages;
  pages.memory_ = memory;
  return pages;
}

bool Pages::resize(std::size_t bytes) noexcept {
  void* const memory = ::mremap(memory_.data(), memory_.size(), bytes, MREMAP_MAYMOVE);
  if (memory == MAP_FAILED) return false;
  memory_ = {static_cast<char*>(memory), bytes};
  return true;
}

Pages::~Pages() {
  if (!memory_.empty()) ::munmap(memory_.data(), memory_.size());
}

}  // namespace tercel
