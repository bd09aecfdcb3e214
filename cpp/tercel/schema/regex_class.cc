#include "tercel/schema/regex_class.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

namespace tercel::schema {
namespace {

using Range = std::pair<char32_t, char32_t>;

// WhiteSpace and LineTerminator, which is what \s matches.
constexpr Range kSpaces[] = {{0x9, 0xD},       {0x20, 0x20},     {0xA0, 0xA0},     {0x1680, 0x1680},
                             {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                             {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};

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

Translation translated(std::string re2) {
  return {.verdict = RegexVerdict::kTranslated, .re2 = std::move(re2), .offset = 0, .reason = {}};
}

Translation refused(RegexVerdict verdict, std::string_view reason) {
  return {.verdict = verdict, .re2 = {}, .offset = 0, .reason = reason};
}

}  // namespace

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

std::string space_class(bool inverted, bool in_class) {
  std::string out = in_class ? "" : "[";
  char32_t next = 0;
  for (const auto& [low, high] : kSpaces) {
    out += inverted ? range(next, low - 1) : range(low, high);
    next = high + 1;
  }
  if (inverted) out += range(next, kCodePointMax);
  return in_class ? out : out + "]";
}

Translation property_class(std::string_view name, bool inverted, bool in_class) {
  const bool named =
      std::all_of(name.begin(), name.end(), [](char c) { return is_word(c) || c == '='; });
  if (name.empty() || !named) {
    return refused(RegexVerdict::kMalformed, "the name of a property is malformed");
  }
  const std::size_t equals = name.find('=');
  if (equals != std::string_view::npos) {
    const std::string_view kind = name.substr(0, equals);
    name.remove_prefix(equals + 1);
    if (kind == "Script_Extensions" || kind == "scx") {
      return refused(RegexVerdict::kUnsupported, "Script_Extensions");
    }
    if (kind != "General_Category" && kind != "gc" && kind != "Script" && kind != "sc") {
      return refused(RegexVerdict::kMalformed, "this property does not exist");
    }
  }
  const auto bracketed = [in_class](std::string inside) {
    return translated(in_class ? std::move(inside) : "[" + inside + "]");
  };
  if (name == "Any") {
    if (inverted) return refused(RegexVerdict::kUnsupported, "a property that nothing has");
    return bracketed(range(0, kCodePointMax));
  }
  if (name == "ASCII") return bracketed(inverted ? range(0x80, kCodePointMax) : range(0, 0x7F));
  const auto* const category = std::find_if(std::begin(kCategories), std::end(kCategories),
                                            [name](const auto& row) { return row.first == name; });
  if (category != std::end(kCategories)) name = category->second;
  if (name == "LC") {
    if (inverted) return refused(RegexVerdict::kUnsupported, "\\P{LC}");
    return bracketed("\\p{Lu}\\p{Ll}\\p{Lt}");
  }
  return translated((inverted ? "\\P{" : "\\p{") + std::string{name} + "}");
}

}  // namespace tercel::schema
