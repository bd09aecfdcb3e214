// Numbers and strings.
#include <compare>

#include "tercel/json/decimal.h"
#include "tercel/schema/run.h"

namespace tercel::schema {
namespace {

// A pattern looks at so many bytes in the time of an evaluation.
constexpr std::size_t kBytesPerStep = 64;
constexpr std::size_t kCharacterBytesMax = 4;

// Code points of UTF-8: all bytes but continuations.
std::size_t count_characters(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text) count += static_cast<signed char>(c) >= -64 ? 1 : 0;
  return count;
}

bool at_least(std::string_view text, std::size_t least) noexcept {
  if (text.size() < least) return false;
  return text.size() >= least * kCharacterBytesMax || count_characters(text) >= least;
}

bool at_most(std::string_view text, std::size_t most) noexcept {
  if (text.size() <= most) return true;
  return text.size() <= most * kCharacterBytesMax && count_characters(text) <= most;
}

}  // namespace

int Run::compare_exactly(const Instruction& instruction, json::Value value) noexcept {
  const auto order = json::compare_numbers(value, json::Value{instruction.limit});
  return std::is_lt(order) ? -1 : (std::is_gt(order) ? 1 : 0);
}

bool Run::run_string(const Instruction& instruction, json::Value value) noexcept {
  const std::string_view text = value.string();
  switch (instruction.op) {
    case Op::kMinLength:
      return at_least(text, instruction.first);
    case Op::kMaxLength:
      return at_most(text, instruction.first);
    case Op::kPattern:
      return charge(text.size() / kBytesPerStep) && code_.regexes[instruction.first].found_in(text);
    default:
      if (instruction.second == 0 && !options_.assert_formats) return true;
      return charge(text.size() / kBytesPerStep) &&
             has_format(text, static_cast<Format>(instruction.first));
  }
}

}  // namespace tercel::schema
