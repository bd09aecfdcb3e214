#include "tercel/http/conditional.h"

#include <algorithm>

#include "tercel/http/chars.h"
#include "tercel/http/date.h"

namespace tercel::http {
namespace {

using std::chrono::seconds;
using Match = bool (*)(const EntityTag&, const EntityTag&) noexcept;

// What a list of entity tags says of the current state.
enum class Listed : std::uint8_t { kAbsent, kYes, kNo, kMalformed };

// etagc: visible bytes but for the quote, and those above ASCII.
bool is_tag_byte(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

// Takes an entity tag off the front of `text`.
std::optional<EntityTag> take_entity_tag(std::string_view& text) noexcept {
  EntityTag tag{.opaque = {}, .weak = text.starts_with("W/")};
  std::string_view rest = text.substr(tag.weak ? 2 : 0);
  if (!rest.starts_with('"')) return std::nullopt;
  rest.remove_prefix(1);
  const auto stop = std::find_if_not(rest.begin(), rest.end(), is_tag_byte);
  tag.opaque = rest.substr(0, static_cast<std::size_t>(stop - rest.begin()));
  rest.remove_prefix(tag.opaque.size());
  if (!rest.starts_with('"')) return std::nullopt;
  text = rest.substr(1);
  return tag;
}

// Whether one of the tags of a field's value is the current one. Empty elements are none.
Listed search_value(std::string_view value, const Validators& current, Match match) noexcept {
  if (value == "*") return current.exists ? Listed::kYes : Listed::kNo;
  Listed found = Listed::kNo;
  for (;;) {
    while (!value.empty() && (is_blank(value.front()) || value.front() == ',')) {
      value.remove_prefix(1);
    }
    if (value.empty()) return found;
    const auto tag = take_entity_tag(value);
    if (!tag) return Listed::kMalformed;
    value = trim_blanks(value);
    if (!value.empty() && value.front() != ',') return Listed::kMalformed;
    if (current.exists && current.etag && match(*tag, *current.etag)) found = Listed::kYes;
  }
}

// The same of all fields of a name.
Listed search_fields(std::span<const Field> fields, std::string_view name,
                     const Validators& current, Match match) noexcept {
  Listed found = Listed::kAbsent;
  for (const Field& field : fields) {
    if (field.name != name) continue;
    const Listed here = search_value(field.value, current, match);
    if (here == Listed::kMalformed) return here;
    if (found != Listed::kYes) found = here;
  }
  return found;
}

// The value of a field that must come once; nothing: it is absent, or repeated.
std::optional<std::string_view> single_value(std::span<const Field> fields,
                                             std::string_view name) noexcept {
  std::optional<std::string_view> value;
  for (const Field& field : fields) {
    if (field.name != name) continue;
    if (value) return std::nullopt;
    value = field.value;
  }
  return value;
}

std::optional<seconds> single_date(std::span<const Field> fields, std::string_view name,
                                   seconds now) noexcept {
  const auto value = single_value(fields, name);
  return value ? parse_http_date(*value, now) : std::nullopt;
}

bool has_field(std::span<const Field> fields, std::string_view name) noexcept {
  return std::any_of(fields.begin(), fields.end(),
                     [name](const Field& field) { return field.name == name; });
}

// Steps 1 and 2.
bool may_change(std::span<const Field> fields, const Validators& current, bool reads,
                seconds now) noexcept {
  const Listed listed = search_fields(fields, "if-match", current, strong_match);
  if (listed == Listed::kMalformed) return reads;
  if (listed != Listed::kAbsent) return listed == Listed::kYes;
  if (!current.last_modified) return true;
  const auto date = single_date(fields, "if-unmodified-since", now);
  return !date || *current.last_modified <= *date;
}

}  // namespace

std::optional<EntityTag> parse_entity_tag(std::string_view text) noexcept {
  const auto tag = take_entity_tag(text);
  return text.empty() ? tag : std::nullopt;
}

bool strong_match(const EntityTag& a, const EntityTag& b) noexcept {
  return !a.weak && !b.weak && a.opaque == b.opaque;
}

bool weak_match(const EntityTag& a, const EntityTag& b) noexcept {
  return a.opaque == b.opaque;
}

Verdict evaluate_conditions(std::string_view method, std::span<const Field> fields,
                            const Validators& current, seconds now) noexcept {
  if (method == "OPTIONS") return Verdict::kProceed;
  const bool reads = method == "GET" || method == "HEAD";
  if (!may_change(fields, current, reads, now)) return Verdict::kPreconditionFailed;

  // Step 3.
  const Listed listed = search_fields(fields, "if-none-match", current, weak_match);
  const bool refused = listed == Listed::kYes || (listed == Listed::kMalformed && !reads);
  if (refused) return reads ? Verdict::kNotModified : Verdict::kPreconditionFailed;
  // Step 4. If-None-Match, whatever it says, takes the place of If-Modified-Since.
  if (listed != Listed::kAbsent || !reads || !current.last_modified) return Verdict::kProceed;
  const auto date = single_date(fields, "if-modified-since", now);
  return date && *current.last_modified <= *date ? Verdict::kNotModified : Verdict::kProceed;
}

bool range_applies(std::span<const Field> fields, const Validators& current, seconds now) noexcept {
  if (!has_field(fields, "if-range")) return true;
  const auto value = single_value(fields, "if-range");
  if (!value || !current.exists) return false;
  if (const auto tag = parse_entity_tag(*value)) {
    return current.etag && strong_match(*tag, *current.etag);
  }
  const auto date = parse_http_date(*value, now);
  return date && current.last_modified_is_strong && current.last_modified == date;
}

}  // namespace tercel::http
