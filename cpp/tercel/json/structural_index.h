// Where the tokens of a JSON text are: the first of the two stages of simdjson, and the only use of
// it.
//
// Internal to tercel/json. This stage reads 64 bytes a step: it checks UTF-8, finds which quotes
// are escaped and which bytes are inside of strings, and lists the offsets of brackets, braces,
// colons, commas and first bytes of strings, numbers and literals. It reads no byte behind the
// text: the last block is a copy. The instructions it uses (AVX-512, AVX2, SSE4.2, NEON, none) are
// chosen when the program runs. Decision 0014 tells why the second stage is our own.
// Resource: keeps its memory for the next text. Tested by structural_index_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/json/fault.h"

namespace tercel::json {

class StructuralIndex {
 public:
  // Offsets have 32 bits; nobody sends a quarter of what they can tell.
  static constexpr std::size_t kTextBytesMax = std::size_t{1} << 30;

  StructuralIndex() noexcept = default;
  StructuralIndex(const StructuralIndex&) = delete;
  StructuralIndex& operator=(const StructuralIndex&) = delete;
  ~StructuralIndex();

  // Returns kNone, kEmpty, kNotUtf8, kControlInString, kOpenString or kNoMemory.
  // REQUIRES: at most kTextBytesMax bytes.
  [[nodiscard]] FaultKind build(std::string_view text) noexcept;
  // After build() returned kNone: the offsets, rising, and behind them the length of the text.
  // Valid until the next build() or release.
  [[nodiscard]] std::span<const std::uint32_t> offsets() const noexcept { return offsets_; }

  // Gives the memory back when it is more than `bytes`.
  void release_above(std::size_t bytes) noexcept;

 private:
  [[nodiscard]] bool reserve(std::size_t text_bytes) noexcept;
  void release() noexcept;

  void* engine_ = nullptr;  // simdjson::internal::dom_parser_implementation.
  std::size_t capacity_ = 0;
  std::span<const std::uint32_t> offsets_;
};

}  // namespace tercel::json
