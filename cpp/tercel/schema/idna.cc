#include "tercel/schema/idna.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>

#include "tercel/schema/format.h"
#include "tercel/schema/idna_tables.h"
#include "tercel/schema/punycode.h"
#include "tercel/schema/text.h"

namespace tercel::schema {
namespace {

constexpr std::size_t kNameBytesMax = 253;
constexpr std::string_view kPrefix = "xn--";

constexpr char32_t kMiddleDot = 0xB7;
constexpr char32_t kKeraia = 0x375;
constexpr char32_t kGeresh = 0x5F3;
constexpr char32_t kGershayim = 0x5F4;
constexpr char32_t kKatakanaDot = 0x30FB;
constexpr char32_t kNonJoiner = 0x200C;
constexpr char32_t kJoiner = 0x200D;
constexpr CodeRange kArabicDigits{0x660, 0x669};
constexpr CodeRange kExtendedDigits{0x6F0, 0x6F9};

// The scripts that a few characters ask for.
constexpr CodeRange kGreek[] = {{0x370, 0x3FF}, {0x1F00, 0x1FFF}};
constexpr CodeRange kHebrew[] = {{0x591, 0x5F4}, {0xFB1D, 0xFB4F}};
constexpr CodeRange kJapanese[] = {{0x3005, 0x3007}, {0x3021, 0x3029},  {0x3038, 0x303B},
                                   {0x3041, 0x309F}, {0x30A1, 0x30FA},  {0x30FD, 0x30FF},
                                   {0x31F0, 0x31FF}, {0x3400, 0x4DBF},  {0x4E00, 0x9FFF},
                                   {0xF900, 0xFAFF}, {0x20000, 0x323AF}};

bool within(CodeRange range, char32_t c) noexcept {
  return range.first <= c && c <= range.last;
}

// The range that c lies in; null when there is none. The ranges rise.
const CodeRange* find_range(std::span<const CodeRange> ranges, char32_t c) noexcept {
  const auto at = std::partition_point(ranges.begin(), ranges.end(),
                                       [c](CodeRange range) { return range.last < c; });
  return at != ranges.end() && at->first <= c ? &*at : nullptr;
}
bool is_in(std::span<const CodeRange> ranges, char32_t c) noexcept {
  return find_range(ranges, c) != nullptr;
}

std::span<const char32_t> points_of(const Label& label) noexcept {
  return {label.points.data(), label.size};
}

// RFC 5892: PVALID.
bool is_always_valid(char32_t c) noexcept {
  if (is_in(kValidRanges, c)) return true;
  const CodeRange* const pairs = find_range(kValidPairs, c);
  return pairs != nullptr && (c - pairs->first) % 2 == 0;
}

// RFC 5892 appendix A.1: a letter that joins to the right before it, one that joins to the left
// behind it, and marks between them.
bool joins_around(std::span<const char32_t> text, std::size_t at) noexcept {
  std::size_t before = at;
  while (before > 0 && is_in(kMarks, text[before - 1])) --before;
  std::size_t behind = at + 1;
  while (behind < text.size() && is_in(kMarks, text[behind])) ++behind;
  if (before == 0 || behind == text.size()) return false;
  const char32_t left = text[before - 1];
  const char32_t right = text[behind];
  return (is_in(kJoinsBoth, left) || is_in(kJoinsLeft, left)) &&
         (is_in(kJoinsBoth, right) || is_in(kJoinsRight, right));
}

bool has_any(std::span<const char32_t> text, CodeRange range) noexcept {
  return std::any_of(text.begin(), text.end(), [range](char32_t c) { return within(range, c); });
}

// RFC 5892 appendix A: characters that are valid in some places.
bool is_valid_here(std::span<const char32_t> text, std::size_t at) noexcept {
  const char32_t before = at > 0 ? text[at - 1] : 0;
  const char32_t behind = at + 1 < text.size() ? text[at + 1] : 0;
  switch (text[at]) {
    case kMiddleDot:
      return before == 'l' && behind == 'l';
    case kKeraia:
      return is_in(kGreek, behind);
    case kGeresh:
    case kGershayim:
      return is_in(kHebrew, before);
    case kKatakanaDot:
      return std::any_of(text.begin(), text.end(), [](char32_t c) { return is_in(kJapanese, c); });
    case kJoiner:
      return is_in(kViramas, before);
    case kNonJoiner:
      return is_in(kViramas, before) || joins_around(text, at);
    default:
      if (within(kArabicDigits, text[at])) return !has_any(text, kExtendedDigits);
      return within(kExtendedDigits, text[at]) && !has_any(text, kArabicDigits);
  }
}

// RFC 5891 section 4.2.3, but for normal form C.
bool is_valid_u_label(std::span<const char32_t> text) noexcept {
  if (text.empty() || text.front() == '-' || text.back() == '-') return false;
  if (text.size() >= 4 && text[2] == '-' && text[3] == '-') return false;
  if (is_in(kMarks, text.front())) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_always_valid(text[at]) && !is_valid_here(text, at)) return false;
  }
  return true;
}

bool is_right_to_left(std::span<const char32_t> text) noexcept {
  return std::any_of(text.begin(), text.end(),
                     [](char32_t c) { return is_in(kRightToLeft, c) || within(kArabicDigits, c); });
}

// Bidi class EN.
bool is_european_digit(char32_t c) noexcept {
  return (c >= '0' && c <= '9') || within(kExtendedDigits, c);
}

// RFC 5893 section 2, for a name with a label from right to left.
bool obeys_bidi(std::span<const char32_t> text) noexcept {
  const bool right_to_left = is_in(kRightToLeft, text.front());
  std::size_t end = text.size();
  while (end > 0 && is_in(kNonspacing, text[end - 1])) --end;
  if (end == 0) return false;
  bool european = false;
  bool arabic = false;
  for (const char32_t c : text) {
    const bool strong = is_in(kRightToLeft, c);
    const bool arabic_digit = within(kArabicDigits, c);
    const bool european_digit = is_european_digit(c);
    const bool neutral = c == '-' || is_in(kNeutrals, c) || is_in(kNonspacing, c);
    const bool left_to_right = !strong && !arabic_digit && !european_digit && !neutral;
    if (right_to_left ? left_to_right : strong || arabic_digit) return false;
    european |= european_digit;
    arabic |= arabic_digit;
  }
  const char32_t last = text[end - 1];
  if (last == '-' || is_in(kNeutrals, last)) return false;
  if (right_to_left) return !(european && arabic);
  // The first is a letter from left to right.
  return !is_european_digit(text.front()) && text.front() != '-' &&
         !is_in(kNeutrals, text.front()) && !is_in(kNonspacing, text.front());
}

bool is_a_label(std::string_view label) noexcept {
  return label.size() >= kPrefix.size() && (label[0] | 0x20) == 'x' && (label[1] | 0x20) == 'n' &&
         label.substr(2, 2) == "--";
}

// The characters of UTF-8. Nothing: more than a label can have.
std::optional<Label> read_label(std::string_view text) noexcept {
  Label label;
  for (std::size_t at = 0; at < text.size();) {
    if (label.size == kLabelBytesMax) return std::nullopt;
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t size = first < 0x80 ? 1 : (first < 0xE0 ? 2 : (first < 0xF0 ? 3 : 4));
    char32_t c = size == 1 ? first : first & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size && at + i < text.size(); ++i) {
      c = c << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3F);
    }
    label.points[label.size++] = c;
    at += size;
  }
  return label;
}

// One label of a name, in either form.
struct NameLabel {
  Label label;
  std::size_t ascii_bytes = 0;
};

// The valid A-label as what it stands for.
std::optional<Label> decode_a_label(std::string_view text) noexcept {
  const std::optional<Label> label = decode_punycode(text.substr(kPrefix.size()));
  if (!label || label->size == 0 || !is_valid_u_label(points_of(*label))) return std::nullopt;
  const auto points = points_of(*label);
  if (std::all_of(points.begin(), points.end(), [](char32_t c) { return c < 0x80; })) {
    return std::nullopt;
  }
  // There is one way to write it.
  const std::optional<EncodedLabel> again = encode_punycode(*label);
  const std::string_view digits = text.substr(kPrefix.size());
  const bool same = again && std::equal(digits.begin(), digits.end(), again->bytes.data(),
                                        again->bytes.data() + again->size, [](char a, char b) {
                                          return a == b || (is_alpha(a) && (a | 0x20) == b);
                                        });
  return same ? label : std::nullopt;
}

std::optional<NameLabel> read_name_label(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  const std::optional<Label> label = read_label(text);
  if (!label) return std::nullopt;
  if (is_a_label(text)) {
    const std::optional<Label> decoded = decode_a_label(text);
    if (!decoded) return std::nullopt;
    return NameLabel{.label = *decoded, .ascii_bytes = text.size()};
  }
  if (std::all_of(text.begin(), text.end(), is_ascii)) {
    // Two hyphens there are kept for prefixes such as "xn".
    const bool reserved = text.size() >= 4 && text.substr(2, 2) == "--";
    if (reserved || !is_hostname(text)) return std::nullopt;
    return NameLabel{.label = *label, .ascii_bytes = text.size()};
  }
  const std::optional<EncodedLabel> encoded = encode_punycode(*label);
  if (!encoded || kPrefix.size() + encoded->size > kLabelBytesMax) return std::nullopt;
  if (!is_valid_u_label(points_of(*label))) return std::nullopt;
  return NameLabel{.label = *label, .ascii_bytes = kPrefix.size() + encoded->size};
}

// Takes the next label off `name`, and the separator behind it. `last`: there was none.
std::string_view take_label(std::string_view& name, bool& last) noexcept {
  constexpr std::string_view kDots[] = {".", "\xE3\x80\x82", "\xEF\xBC\x8E", "\xEF\xBD\xA1"};
  std::size_t end = name.size();
  std::size_t dot_bytes = 0;
  for (const std::string_view dot : kDots) {
    const std::size_t at = name.find(dot);
    if (at < end) {
      end = at;
      dot_bytes = dot.size();
    }
  }
  last = dot_bytes == 0;
  const std::string_view label = name.substr(0, end);
  name.remove_prefix(end + dot_bytes);
  return label;
}

}  // namespace

bool is_valid_a_label(std::string_view label) noexcept {
  const std::optional<Label> decoded = decode_a_label(label);
  return decoded && (!is_right_to_left(points_of(*decoded)) || obeys_bidi(points_of(*decoded)));
}

bool is_idn_hostname(std::string_view text) noexcept {
  bool right_to_left = false;
  std::size_t bytes = 0;
  bool last = false;
  for (std::string_view rest = text; !last;) {
    const std::optional<NameLabel> label = read_name_label(take_label(rest, last));
    if (!label) return false;
    bytes += label->ascii_bytes + (last ? 0 : 1);
    if (bytes > kNameBytesMax) return false;
    right_to_left |= is_right_to_left(points_of(label->label));
  }
  last = !right_to_left;
  for (std::string_view rest = text; !last;) {
    const std::optional<NameLabel> label = read_name_label(take_label(rest, last));
    if (!label || !obeys_bidi(points_of(label->label))) return false;
  }
  return true;
}

bool is_lenient_idn_hostname(std::string_view text) noexcept {
  if (text.empty() || text.size() > 4 * kNameBytesMax) return false;
  for (;;) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    const bool plain = std::all_of(label.begin(), label.end(), [](char c) {
      return is_alphanumeric(c) || c == '-' || !is_ascii(c);
    });
    if (label.empty() || !plain || label.front() == '-' || label.back() == '-') return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace tercel::schema
