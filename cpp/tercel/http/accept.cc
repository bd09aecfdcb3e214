#include "tercel/http/accept.h"

#include <algorithm>
#include <array>

#include "tercel/base/assert.h"
#include "tercel/http/chars.h"
#include "tercel/http/parameters.h"

namespace tercel::http {
namespace {

constexpr int kWeightMax = 1000;
// A name weighs more than all parameters that an element has room for.
constexpr std::size_t kNameLevel = std::size_t{1} << 32;

// One element of Accept. Its parameters are those of the media type: before "q".
struct Range {
  std::string_view type;
  std::string_view subtype;
  std::string_view parameters;
  int weight = kWeightMax;
};

// What is known of an offer so far. Specificity 0: no range covers it.
struct Standing {
  std::size_t specificity = 0;
  int weight = 0;
};

// Thousandths; nothing: malformed, or above 1.
std::optional<int> parse_weight(std::string_view text) noexcept {
  if (text.empty() || text == ".") return std::nullopt;
  int weight = 0;
  if (text.front() != '.') {
    if (text.front() != '0' && text.front() != '1') return std::nullopt;
    weight = (text.front() - '0') * kWeightMax;
    text.remove_prefix(1);
  }
  if (text.empty()) return weight;
  if (text.front() != '.') return std::nullopt;
  text.remove_prefix(1);
  int unit = kWeightMax / 10;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return weight <= kWeightMax ? std::optional{weight} : std::nullopt;
}

// Cuts the parameters of `range` before "q", and reads that. False: malformed.
bool read_weight(Range& range) noexcept {
  Parameters parameters{range.parameters};
  Parameter parameter;
  for (;;) {
    switch (parameters.next(parameter)) {
      case Parameters::Next::kEnd:
        return true;
      case Parameters::Next::kBad:
        return false;
      case Parameters::Next::kParameter:
        break;
    }
    if (!equals_ignoring_case(parameter.name, "q")) continue;
    // Whatever follows the weight is an extension of Accept, which RFC 9110 removed.
    const auto weight = parse_weight(parameter.value);
    const char* const cut = parameter.name.data();
    range.parameters =
        range.parameters.substr(0, static_cast<std::size_t>(cut - range.parameters.data()));
    range.weight = weight.value_or(0);
    return weight.has_value();
  }
}

std::optional<Range> parse_range(std::string_view element) noexcept {
  Range range;
  const std::size_t semicolon = std::min(element.find(';'), element.size());
  const std::string_view name = trim_blanks(element.substr(0, semicolon));
  range.parameters = element.substr(semicolon);
  if (name == "*") {
    range.type = range.subtype = name;
  } else {
    const std::size_t slash = std::min(name.find('/'), name.size());
    range.type = name.substr(0, slash);
    range.subtype = name.substr(std::min(slash + 1, name.size()));
  }
  if (!is_token(range.type) || !is_token(range.subtype)) return std::nullopt;
  if (range.type == "*" && range.subtype != "*") return std::nullopt;
  return read_weight(range) ? std::optional{range} : std::nullopt;
}

bool same_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool has_parameter(const MediaType& offer, const Parameter& wanted) noexcept {
  Parameters parameters{offer.parameters};
  Parameter parameter;
  while (parameters.next(parameter) == Parameters::Next::kParameter) {
    if (same_ignoring_case(parameter.name, wanted.name) &&
        same_ignoring_case(parameter.value, wanted.value)) {
      return true;
    }
  }
  return false;
}

// How exactly `range` names `offer`; 0: it does not cover it.
std::size_t specificity(const Range& range, const MediaType& offer) noexcept {
  std::size_t level = kNameLevel;
  if (range.type != "*") {
    if (!same_ignoring_case(range.type, offer.type)) return 0;
    level += kNameLevel;
  }
  if (range.subtype != "*") {
    if (!same_ignoring_case(range.subtype, offer.subtype)) return 0;
    level += kNameLevel;
  }
  Parameters parameters{range.parameters};
  Parameter parameter;
  while (parameters.next(parameter) == Parameters::Next::kParameter) {
    if (!has_parameter(offer, parameter)) return 0;
    ++level;
  }
  return level;
}

void apply(const Range& range, std::span<const MediaType> offers,
           std::span<Standing> standings) noexcept {
  for (std::size_t i = 0; i < offers.size(); ++i) {
    Standing& standing = standings[i];
    const std::size_t level = specificity(range, offers[i]);
    if (level == 0 || level < standing.specificity) continue;
    const bool more_specific = level > standing.specificity;
    standing.weight = more_specific ? range.weight : std::max(standing.weight, range.weight);
    standing.specificity = level;
  }
}

}  // namespace

std::optional<std::size_t> choose_media_type(std::span<const Field> fields,
                                             std::span<const MediaType> offers) noexcept {
  TERCEL_ASSERT(!offers.empty() && offers.size() <= kOffersMax);
  std::array<Standing, kOffersMax> standings;
  std::size_t elements = 0;
  bool any_range = false;
  for (const Field& field : fields) {
    if (field.name != "accept") continue;
    for (std::string_view rest = field.value; !rest.empty() && elements < kAcceptElementsMax;) {
      const std::string_view element = next_list_element(rest);
      if (element.empty()) continue;
      ++elements;
      const auto range = parse_range(element);
      if (!range) continue;
      any_range = true;
      apply(*range, offers, standings);
    }
  }
  if (!any_range) return 0;
  const auto known = std::span{standings}.first(offers.size());
  const auto best =
      std::max_element(known.begin(), known.end(),
                       [](const Standing& a, const Standing& b) { return a.weight < b.weight; });
  if (best->weight == 0) return std::nullopt;
  return static_cast<std::size_t>(best - known.begin());
}

int coding_weight(std::span<const Field> fields, std::string_view coding) noexcept {
  std::optional<int> named;
  int others = 0;
  std::size_t elements = 0;
  for (const Field& field : fields) {
    if (field.name != "accept-encoding") continue;
    for (std::string_view rest = field.value; !rest.empty() && elements < kAcceptElementsMax;) {
      const std::string_view element = next_list_element(rest);
      const std::size_t semicolon = std::min(element.find(';'), element.size());
      std::string_view name = trim_blanks(element.substr(0, semicolon));
      if (name.empty()) continue;
      ++elements;
      Range range;
      range.parameters = element.substr(semicolon);
      if (!read_weight(range)) continue;
      if (equals_ignoring_case(name, "x-gzip")) name = "gzip";
      if (equals_ignoring_case(name, coding)) named = std::max(named.value_or(0), range.weight);
      if (name == "*") others = range.weight;
    }
  }
  return named.value_or(coding == "identity" ? 0 : others);
}

}  // namespace tercel::http
