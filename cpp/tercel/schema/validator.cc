#include "tercel/schema/validator.h"

#include <algorithm>
#include <cstdlib>

#include "tercel/schema/run.h"

namespace tercel::schema {

BitStack::~BitStack() {
  std::free(words_);
}

bool BitStack::push(std::size_t bits, Set& set) noexcept {
  const std::uint32_t words = words_for(bits);
  if (capacity_ - used_ < words) {
    const std::size_t wanted = std::max<std::size_t>(std::size_t{used_} + words, capacity_ * 2ULL);
    if (wanted > UINT32_MAX) return false;
    void* const grown = std::realloc(words_, wanted * sizeof *words_);
    if (grown == nullptr) return false;
    words_ = static_cast<std::uint64_t*>(grown);
    capacity_ = static_cast<std::uint32_t>(wanted);
  }
  set = {.word = used_, .bits = static_cast<std::uint32_t>(bits)};
  std::fill_n(words_ + used_, words, std::uint64_t{0});
  used_ += words;
  return true;
}

void BitStack::set_all(const Set& set) noexcept {
  std::fill_n(words_ + set.word, words_for(set.bits), ~std::uint64_t{0});
}

void BitStack::merge(const Set& into, const Set& from) noexcept {
  const std::uint32_t words = words_for(from.bits);
  for (std::uint32_t i = 0; i < words; ++i) words_[into.word + i] |= words_[from.word + i];
}

void BitStack::release_above(std::size_t bytes) noexcept {
  used_ = 0;
  if (capacity_ * sizeof *words_ <= bytes) return;
  std::free(words_);
  words_ = nullptr;
  capacity_ = 0;
}

bool Validator::validate(const Program& program, json::Value value) noexcept {
  error_count_ = 0;
  truncated_ = false;
  const bool valid = Run{*this, program.code()}.run(value);
  if (verdict_ > Verdict::kInvalid) error_count_ = 0;
  slots_.release_above(kKeptBytesMax);
  bits_.release_above(kKeptBytesMax);
  return valid;
}

}  // namespace tercel::schema
