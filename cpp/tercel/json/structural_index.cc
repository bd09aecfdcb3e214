#include "tercel/json/structural_index.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <memory>

namespace tercel::json {
namespace {

using Engine = simdjson::internal::dom_parser_implementation;

constexpr std::size_t kCapacityMin = 1024;
// Of its second stage, which is not used.
constexpr std::size_t kNoDepth = 1;

Engine* engine_of(void* engine) noexcept {
  return static_cast<Engine*>(engine);
}

FaultKind fault_of(simdjson::error_code error) noexcept {
  switch (error) {
    case simdjson::SUCCESS:
      return FaultKind::kNone;
    case simdjson::EMPTY:
      return FaultKind::kEmpty;
    case simdjson::UTF8_ERROR:
      return FaultKind::kNotUtf8;
    case simdjson::UNESCAPED_CHARS:
      return FaultKind::kControlInString;
    case simdjson::UNCLOSED_STRING:
      return FaultKind::kOpenString;
    default:
      return FaultKind::kNoMemory;
  }
}

}  // namespace

StructuralIndex::~StructuralIndex() {
  release();
}

void StructuralIndex::release() noexcept {
  const std::unique_ptr<Engine> ends{engine_of(engine_)};
  engine_ = nullptr;
  capacity_ = 0;
  offsets_ = {};
}

bool StructuralIndex::reserve(std::size_t text_bytes) noexcept {
  if (text_bytes <= capacity_) return true;
  release();
  const std::size_t capacity =
      std::min(std::bit_ceil(std::max(text_bytes, kCapacityMin)), kTextBytesMax);
  std::unique_ptr<Engine> engine;
  const simdjson::implementation* const implementation = simdjson::get_active_implementation();
  if (implementation->create_dom_parser_implementation(capacity, kNoDepth, engine) !=
      simdjson::SUCCESS) {
    return false;
  }
  engine_ = engine.release();
  capacity_ = capacity;
  return true;
}

FaultKind StructuralIndex::build(std::string_view text) noexcept {
  offsets_ = {};
  if (text.empty()) return FaultKind::kEmpty;
  if (!reserve(text.size())) return FaultKind::kNoMemory;
  Engine& engine = *engine_of(engine_);
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const FaultKind fault =
      fault_of(engine.stage1(bytes, text.size(), simdjson::stage1_mode::regular));
  if (fault != FaultKind::kNone) return fault;
  // The stage writes the length behind the last offset.
  offsets_ = {engine.structural_indexes.get(), std::size_t{engine.n_structural_indexes} + 1};
  return FaultKind::kNone;
}

void StructuralIndex::release_above(std::size_t bytes) noexcept {
  if (capacity_ * sizeof(std::uint32_t) > bytes) release();
}

}  // namespace tercel::json
