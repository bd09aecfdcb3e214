#include "tercel/schema/keyword.h"

#include <algorithm>
#include <array>

namespace tercel::schema {
namespace {

#define TERCEL_SCHEMA_ROW(enumerator, name, holds, vocabulary, drafts) \
  {name, Holds::holds, Vocabulary::vocabulary, drafts},
constexpr KeywordInfo kTable[] = {TERCEL_SCHEMA_KEYWORDS(TERCEL_SCHEMA_ROW)};
#undef TERCEL_SCHEMA_ROW

constexpr std::string_view name_of(Keyword keyword) noexcept {
  return kTable[static_cast<std::size_t>(keyword)].name;
}

constexpr auto make_sorted() noexcept {
  std::array<Keyword, kKeywordCount> sorted{};
  for (std::size_t i = 0; i < kKeywordCount; ++i) sorted[i] = static_cast<Keyword>(i);
  std::sort(sorted.begin(), sorted.end(),
            [](Keyword a, Keyword b) { return name_of(a) < name_of(b); });
  return sorted;
}
constexpr auto kSorted = make_sorted();

}  // namespace

const KeywordInfo& info(Keyword keyword) noexcept {
  return kTable[static_cast<std::size_t>(keyword)];
}

Keyword find_keyword(std::string_view name) noexcept {
  const auto* const at =
      std::lower_bound(kSorted.begin(), kSorted.end(), name,
                       [](Keyword a, std::string_view b) { return name_of(a) < b; });
  return at != kSorted.end() && name_of(*at) == name ? *at : Keyword::kNone;
}

}  // namespace tercel::schema
