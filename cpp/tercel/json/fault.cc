#include "tercel/json/fault.h"

#include <algorithm>

namespace tercel::json {

std::string_view describe(FaultKind kind) noexcept {
#define TERCEL_JSON_ROW(name, text) std::string_view{text},
  constexpr std::string_view kTexts[] = {TERCEL_JSON_FAULTS(TERCEL_JSON_ROW)};
#undef TERCEL_JSON_ROW
  return kTexts[static_cast<std::size_t>(kind)];
}

Position find_position(std::string_view text, std::size_t offset) noexcept {
  const std::string_view before = text.substr(0, offset);
  const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 when there is none: npos + 1.
  return {.line = lines + 1, .column = before.size() - line_start + 1};
}

}  // namespace tercel::json
