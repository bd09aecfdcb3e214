#include "tercel/schema/regex_syntax.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace tercel::schema {
namespace {

using Range = std::pair<char32_t, char32_t>;

constexpr char32_t kCodePointMax = 0x10FFFF;
// One code point, or what stands for several.
constexpr char32_t kNoPoint = 0xFFFFFFFF;

// WhiteSpace and LineTerminator, which is what \s matches.
constexpr Range kSpaces[] = {{0x9, 0xD},       {0x20, 0x20},     {0xA0, 0xA0},     {0x1680, 0x1680},
                             {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                             {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};

constexpr std::string_view kAnyClass = R"([\x{0}-\x{10ffff}])";
constexpr std::string_view kNothingClass = R"([^\x{0}-\x{10ffff}])";
constexpr std::string_view kDotClass = R"([^\n\r\x{2028}\x{2029}])";

// General categories by their long names, as RE2 knows the short ones.
constexpr std::pair<std::string_view, std::string_view> kCategories[] = {
    {"Letter", "L"},
    {"Cased_Letter", "LC"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Private_Use", "Co"}};

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) noexcept {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
bool is_word(char c) noexcept {
  return is_letter(c) || is_digit(c) || c == '_';
}

std::string hex_escape(char32_t c) {
  std::array<char, 8> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<std::uint32_t>(c), 16)
          .ptr;
  return "\\x{" + std::string{digits.data(), end} + "}";
}

std::string literal(char32_t c) {
  const bool plain = c < 0x80 && is_word(static_cast<char>(c));
  if (c >= 0xD800 && c <= 0xDFFF) return std::string{kNothingClass};  // No text has one.
  return plain ? std::string{static_cast<char>(c)} : hex_escape(c);
}

std::string range(char32_t low, char32_t high) {
  return low == high ? hex_escape(low) : hex_escape(low) + "-" + hex_escape(high);
}

// The ranges of \s, or of \S, for the inside of a class.
std::string spaces(bool inverted) {
  std::string out;
  char32_t next = 0;
  for (const auto& [low, high] : kSpaces) {
    out += inverted ? range(next, low - 1) : range(low, high);
    next = high + 1;
  }
  return inverted ? out + range(next, kCodePointMax) : out;
}

class Translator {
 public:
  explicit Translator(std::string_view pattern) noexcept : text_{pattern} {}

  Translation run() {
    while (at_ < text_.size() && !malformed()) token();
    if (depth_ > 0) malformed("a group has no end", text_.size());
    if (result_.verdict == RegexVerdict::kTranslated) result_.re2 = std::move(out_);
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool malformed() const noexcept {
    return result_.verdict == RegexVerdict::kMalformed;
  }
  void malformed(std::string_view reason, std::size_t offset) noexcept {
    if (malformed()) return;
    result_.verdict = RegexVerdict::kMalformed;
    result_.reason = reason;
    result_.offset = offset;
  }
  // Reading goes on: it may be malformed besides.
  void unsupported(std::string_view reason, std::size_t offset) noexcept {
    if (result_.verdict != RegexVerdict::kTranslated) return;
    result_.verdict = RegexVerdict::kUnsupported;
    result_.reason = reason;
    result_.offset = offset;
  }

  [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool take(std::string_view expected) noexcept {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  void token();
  void group();
  void close_group();
  void group_name();
  void modifiers(std::size_t start);
  void repeat_sign(char c);
  void repeat_braces();
  void atom_escape();
  void character_class();
  [[nodiscard]] char32_t class_atom(std::string& item);
  [[nodiscard]] std::optional<std::string> class_escape(bool in_class);
  [[nodiscard]] std::string property(bool inverted, bool in_class);
  [[nodiscard]] char32_t character_escape();
  [[nodiscard]] char32_t unicode_escape(std::size_t start);
  [[nodiscard]] std::optional<char32_t> hex(std::size_t digits);
  [[nodiscard]] char32_t code_point();
  void end_repeat();
  void atom(std::string_view re2) {
    out_ += re2;
    repeatable_ = true;
  }
  void assertion(std::string_view re2) {
    out_ += re2;
    repeatable_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  bool repeatable_ = false;  // What is before may have a quantifier.
  std::string out_;
  Translation result_;
};

void Translator::token() {
  const char c = peek();
  switch (c) {
    case '\\':
      return atom_escape();
    case '[':
      return character_class();
    case '(':
      return group();
    case ')':
      return close_group();
    case '|':
    case '^':
    case '$':
      ++at_;
      return assertion(std::string_view{&c, 1});
    case '*':
    case '+':
    case '?':
      return repeat_sign(c);
    case '{':
      return repeat_braces();
    case '.':
      ++at_;
      return atom(kDotClass);
    default:
      return atom(literal(code_point()));
  }
}

// The character at at_, which is moved behind it.
char32_t Translator::code_point() {
  const auto first = static_cast<unsigned char>(text_[at_]);
  const std::size_t size = first < 0x80 ? 1 : (first < 0xE0 ? 2 : (first < 0xF0 ? 3 : 4));
  char32_t c = size == 1 ? first : first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size && at_ + i < text_.size(); ++i) {
    c = c << 6 | (static_cast<unsigned char>(text_[at_ + i]) & 0x3F);
  }
  at_ = std::min(at_ + size, text_.size());
  return c;
}

void Translator::group() {
  const std::size_t start = at_++;
  ++depth_;
  repeatable_ = false;
  out_ += "(?:";  // Nobody asks what was captured.
  if (!take("?") || take(":")) return;
  if (take("=") || take("!")) return unsupported("look-ahead", start);
  if (take("<=") || take("<!")) return unsupported("look-behind", start);
  if (take("<")) return group_name();
  modifiers(start);
}

void Translator::close_group() {
  if (depth_ == 0) return malformed("a group ends that did not begin", at_);
  --depth_;
  ++at_;
  atom(")");
}

void Translator::group_name() {
  const std::size_t start = at_;
  while (at_ < text_.size() && peek() != '>') {
    const bool valid = static_cast<unsigned char>(peek()) >= 0x80 || is_word(peek()) ||
                       peek() == '$' || peek() == '\\';
    if (!valid || (at_ == start && is_digit(peek()))) break;
    ++at_;
  }
  if (at_ == start || !take(">")) malformed("the name of a group is malformed", start);
}

// "(?i:" and "(?-i:" of ECMA-262 2025.
void Translator::modifiers(std::size_t start) {
  const std::size_t first = at_;
  while (peek() == 'i' || peek() == 'm' || peek() == 's' || peek() == '-') ++at_;
  const std::string_view flags = text_.substr(first, at_ - first);
  if (flags.empty() || flags == "-" || !take(":")) {
    return malformed("this kind of group does not exist", start);
  }
  if (flags != "i" && flags != "-i") return unsupported("modifiers other than i", start);
  out_.pop_back();  // The colon behind the flags.
  out_ += flags;
  out_ += ':';
}

void Translator::end_repeat() {
  if (take("?")) out_ += '?';
  repeatable_ = false;
}

void Translator::repeat_sign(char c) {
  if (!repeatable_) return malformed("there is nothing to repeat", at_);
  ++at_;
  out_ += c;
  end_repeat();
}

void Translator::repeat_braces() {
  const std::size_t start = at_;
  const auto number = [this]() -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const std::size_t first = ++at_;
    for (; is_digit(peek()); ++at_) {
      value = std::min<std::uint64_t>(value * 10 + static_cast<unsigned>(peek() - '0'), UINT32_MAX);
    }
    return at_ == first ? std::nullopt : std::optional{value};
  };
  const std::optional<std::uint64_t> low = number();
  const bool comma = low && peek() == ',';
  const std::optional<std::uint64_t> high = comma ? number() : low;
  if (!low || !take("}")) {
    at_ = start + 1;  // A literal.
    return atom("\\{");
  }
  if (!repeatable_) return malformed("there is nothing to repeat", start);
  if (high && *high < *low) return malformed("the numbers of a repeat are out of order", start);
  if (std::max(*low, high.value_or(0)) > kRepeatMax) unsupported("a repeat above 1000", start);
  out_ += text_.substr(start, at_ - start);
  end_repeat();
}

void Translator::atom_escape() {
  const std::size_t start = at_;
  const char letter = peek(1);
  if (letter == 'b' || letter == 'B') {
    at_ += 2;
    return assertion(letter == 'b' ? "\\b" : "\\B");
  }
  if (letter >= '1' && letter <= '9') {
    for (++at_; is_digit(peek());) ++at_;
    unsupported("back-reference", start);
    return atom("");
  }
  if (letter == 'k' && peek(2) == '<') {
    at_ += 3;
    group_name();
    unsupported("back-reference", start);
    return atom("");
  }
  if (const auto several = class_escape(false)) return atom(*several);
  atom(literal(character_escape()));
}

// \d \D \w \W \s \S \p{} \P{}: what RE2 writes for it; nothing for other escapes.
std::optional<std::string> Translator::class_escape(bool in_class) {
  const char letter = peek(1);
  switch (letter) {
    case 'd':
    case 'D':
    case 'w':
    case 'W':
      at_ += 2;
      return std::string{'\\', letter};
    case 's':
    case 'S': {
      at_ += 2;
      const std::string inside = spaces(letter == 'S');
      return in_class ? inside : "[" + inside + "]";
    }
    case 'p':
    case 'P':
      return property(letter == 'P', in_class);
    default:
      return std::nullopt;
  }
}

std::string Translator::property(bool inverted, bool in_class) {
  const std::size_t start = at_;
  at_ += 2;
  const std::size_t end = text_.find('}', at_);
  if (peek() != '{' || end == std::string_view::npos) {
    malformed("a property has no braces", start);
    return {};
  }
  std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
  at_ = end + 1;
  const bool named =
      std::all_of(name.begin(), name.end(), [](char c) { return is_word(c) || c == '='; });
  if (name.empty() || !named) {
    malformed("the name of a property is malformed", start);
    return {};
  }
  const std::size_t equals = name.find('=');
  if (equals != std::string_view::npos) {
    const std::string_view kind = name.substr(0, equals);
    name.remove_prefix(equals + 1);
    if (kind == "Script_Extensions" || kind == "scx") {
      unsupported("Script_Extensions", start);
    } else if (kind != "General_Category" && kind != "gc" && kind != "Script" && kind != "sc") {
      malformed("this property does not exist", start);
    }
  }
  if (name == "Any" || name == "ASCII") {
    const char32_t last = name == "Any" ? kCodePointMax : 0x7F;
    const std::string inside =
        inverted ? (name == "Any" ? "" : range(0x80, kCodePointMax)) : range(0, last);
    if (inside.empty()) unsupported("a property that nothing has", start);
    return in_class ? inside : "[" + inside + "]";
  }
  const auto* const category = std::find_if(std::begin(kCategories), std::end(kCategories),
                                            [name](const auto& row) { return row.first == name; });
  if (category != std::end(kCategories)) name = category->second;
  if (name == "LC") {
    if (inverted) unsupported("\\P{LC}", start);
    return in_class ? "\\p{Lu}\\p{Ll}\\p{Lt}" : "[\\p{Lu}\\p{Ll}\\p{Lt}]";
  }
  return (inverted ? "\\P{" : "\\p{") + std::string{name} + "}";
}

std::optional<char32_t> Translator::hex(std::size_t digits) {
  std::uint32_t value = 0;
  const char* const first = text_.data() + at_;
  if (text_.size() - at_ < digits) return std::nullopt;
  const auto [end, error] = std::from_chars(first, first + digits, value, 16);
  if (error != std::errc{} || end != first + digits) return std::nullopt;
  at_ += digits;
  return value;
}

// Behind "\u".
char32_t Translator::unicode_escape(std::size_t start) {
  if (take("{")) {
    const std::size_t end = std::min(text_.find('}', at_), text_.size());
    const std::size_t zeros = text_.substr(at_, end - at_).find_first_not_of('0');
    at_ += zeros == std::string_view::npos ? (end > at_ ? end - at_ - 1 : 0) : zeros;
    const auto value = end - at_ <= 6 && end > at_ ? hex(end - at_) : std::nullopt;
    if (!value || *value > kCodePointMax || !take("}")) {
      malformed("the escape \\u{} is malformed", start);
    }
    return value.value_or(0);
  }
  const std::optional<char32_t> high = hex(4);
  if (!high) {
    malformed("the escape \\u is malformed", start);
    return 0;
  }
  if (*high < 0xD800 || *high > 0xDBFF || peek() != '\\' || peek(1) != 'u') return *high;
  const std::size_t behind = at_;
  at_ += 2;
  const std::optional<char32_t> low = hex(4);
  if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
    return 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00);
  }
  at_ = behind;
  return *high;
}

// The character that an escape stands for; at_ is at its backslash.
char32_t Translator::character_escape() {
  const std::size_t start = at_++;
  if (at_ == text_.size()) {
    malformed("nothing follows the backslash", start);
    return 0;
  }
  const char letter = peek();
  if (!is_word(letter) || letter == '_') return code_point();
  ++at_;
  switch (letter) {
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'v':
      return '\v';
    case 'f':
      return '\f';
    case 'r':
      return '\r';
    case 'c':
      if (is_letter(peek())) return static_cast<char32_t>(text_[at_++] & 0x1F);
      break;
    case '0':
      if (!is_digit(peek())) return 0;
      break;
    case 'x':
      if (const auto value = hex(2)) return *value;
      break;
    case 'u':
      return unicode_escape(start);
    default:
      break;
  }
  malformed("this escape does not exist", start);
  return 0;
}

// One item of a class into `item`: returns its code point, or kNoPoint when it stands for several.
char32_t Translator::class_atom(std::string& item) {
  char32_t c = kNoPoint;
  if (peek() != '\\') {
    c = code_point();
  } else if (peek(1) == 'b') {
    at_ += 2;
    c = '\b';
  } else if (peek(1) == '-') {
    at_ += 2;
    c = '-';
  } else if (auto several = class_escape(true)) {
    item = std::move(*several);
    return kNoPoint;
  } else {
    c = character_escape();
  }
  item = hex_escape(c);
  return c;
}

void Translator::character_class() {
  const std::size_t start = at_++;
  const bool inverted = take("^");
  std::string inside;
  while (at_ < text_.size() && peek() != ']' && !malformed()) {
    std::string item;
    const char32_t low = class_atom(item);
    if (peek() != '-' || peek(1) == ']' || at_ + 1 >= text_.size()) {
      if (low < 0xD800 || low > 0xDFFF) inside += item;
      continue;
    }
    const std::size_t dash = at_++;
    std::string last;
    const char32_t high = class_atom(last);
    if (low == kNoPoint || high == kNoPoint) {
      return malformed("a range needs a character at each end", dash);
    }
    if (low > high) return malformed("a range is out of order", dash);
    inside += range(low, high);
  }
  if (!take("]")) return malformed("a class has no end", start);
  if (inside.empty()) return atom(inverted ? kAnyClass : kNothingClass);
  atom((inverted ? "[^" : "[") + inside + "]");
}

}  // namespace

Translation translate_regex(std::string_view pattern) {
  return Translator{pattern}.run();
}

}  // namespace tercel::schema
