#include "numbers.h"

#include <algorithm>

#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"

namespace tercel::load {

std::optional<std::uint64_t> next_number(std::string_view& text) noexcept {
  while (!text.empty()) {
    const auto* const begin = std::find_if(text.begin(), text.end(), http::is_digit);
    const auto* const end = std::find_if_not(begin, text.end(), http::is_digit);
    const std::string_view digits{begin, static_cast<std::size_t>(end - begin)};
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    if (const Result<std::uint64_t> number = parse_decimal(digits)) return *number;
  }
  return {};
}

std::uint64_t Numbers::take() {
  answered_.push_back(false);
  return first_ + answered_.size() - 1;
}

bool Numbers::was_answered(std::uint64_t number) const noexcept {
  return number >= first_ && number - first_ < answered_.size() && answered_[number - first_];
}

Verdict Numbers::judge(std::string_view body, std::uint64_t number) noexcept {
  bool doubled = false;
  while (const std::optional<std::uint64_t> found = next_number(body)) {
    if (*found == number) {
      if (was_answered(number)) return Verdict::kDoubled;
      answered_[number - first_] = true;
      return Verdict::kRight;
    }
    doubled = doubled || was_answered(*found);
  }
  return doubled ? Verdict::kDoubled : Verdict::kWrong;
}

}  // namespace tercel::load
