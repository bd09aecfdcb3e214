#include "tercel/http/h2_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "tercel/base/poison.h"

namespace tercel::http {

H2Memory::~H2Memory() {
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    while (Piece* const piece = kept_[i]) {
      unpoison(piece, (i + 1) * kStepBytes);
      kept_[i] = piece->next;
      std::free(piece);
    }
  }
}

std::size_t H2Memory::rounded(std::size_t bytes) noexcept {
  if (bytes > kPieceBytesMax) return bytes;
  return std::max((bytes + kStepBytes - 1) / kStepBytes, std::size_t{1}) * kStepBytes;
}

void* H2Memory::take(std::size_t bytes) noexcept {
  const std::size_t size = rounded(bytes);
  if (size > kPieceBytesMax) return std::malloc(size);
  Piece*& first = kept_[size / kStepBytes - 1];
  if (first == nullptr) return std::malloc(size);
  Piece* const piece = first;
  unpoison(piece, size);
  first = piece->next;
  kept_bytes_ -= size;
  return piece;
}

void H2Memory::give_back(void* memory, std::size_t bytes) noexcept {
  const std::size_t size = rounded(bytes);
  if (size > kPieceBytesMax || kept_bytes_ + size > kKeptBytesMax) return std::free(memory);
  Piece*& first = kept_[size / kStepBytes - 1];
  first = std::construct_at(static_cast<Piece*>(memory), Piece{first});
  kept_bytes_ += size;
  poison(memory, size);
}

void* H2Memory::resize(void* memory, std::size_t bytes, std::size_t wanted) noexcept {
  if (rounded(bytes) == rounded(wanted)) return memory;
  if (std::min(rounded(bytes), rounded(wanted)) > kPieceBytesMax) {
    return std::realloc(memory, wanted);
  }
  void* const moved = take(wanted);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, memory, std::min(bytes, wanted));
  give_back(memory, bytes);
  return moved;
}

}  // namespace tercel::http
