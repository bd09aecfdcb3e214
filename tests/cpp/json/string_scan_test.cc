#include "tercel/json/string_scan.h"

#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::json {
namespace {

// What stands for `text`, which is a string without its opening quote; nothing when it is refused.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out(text.size(), '\0');
  const Unescaped result = unescape(text.data(), text.data() + text.size(), out.data());
  if (result.fault != FaultKind::kNone) return std::nullopt;
  EXPECT_EQ(result.at, text.data() + text.find_last_of('"'));
  out.resize(static_cast<std::size_t>(result.out_end - out.data()));
  return out;
}

FaultKind fault(std::string_view text) {
  std::string out(text.size(), '\0');
  return unescape(text.data(), text.data() + text.size(), out.data()).fault;
}

TEST(StringScanTest, ReplacesEveryEscapeOfRfc8259) {
  EXPECT_EQ(unescaped(R"(\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(unescaped(R"(a\u0041\u00e9\u20AC\ud834\uDD1e.")"),
            "aA\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E.");
  EXPECT_EQ(unescaped(R"(\u0000")"), (std::string{'\0'}));
  EXPECT_EQ(unescaped(R"(\uFFFF\u007f\u0080\u07ff\u0800")"),
            "\xEF\xBF\xBF\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80");
  EXPECT_EQ(unescaped("\""), "");
}

// Any of the 256 letters behind a backslash.
TEST(StringScanTest, TakesNoOtherEscape) {
  for (int letter = 0; letter < 256; ++letter) {
    const std::string text = {'\\', static_cast<char>(letter), '0', '0', '4', '1', '"', '"'};
    const bool known =
        std::string_view{"\"\\/bfnrtu"}.find(static_cast<char>(letter)) != std::string_view::npos;
    EXPECT_EQ(fault(text), known ? FaultKind::kNone : FaultKind::kBadEscape) << letter;
  }
}

TEST(StringScanTest, RefusesHalvesOfSurrogatePairs) {
  for (const std::string_view text :
       {R"(\ud800")", R"(\udc00")", R"(\ud800x")", R"(\ud800\n")", R"(\ud800\ud800")",
        R"(\udc00\ud800")", R"(\ud800\u0041")", R"(\ud800\udbff")", R"(\ud800\udc0")"}) {
    EXPECT_EQ(fault(text), FaultKind::kLoneSurrogate) << text;
  }
  EXPECT_EQ(unescaped(R"(\ud800\udc00\udbff\udfff")"), "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
}

TEST(StringScanTest, RefusesUnitsThatAreNotFourHexDigits) {
  for (const std::string_view text : {R"(\u")", R"(\u1")", R"(\u12")", R"(\u123")", R"(\u123g")",
                                      R"(\u 123")", R"(\u+123")", R"(\u0x12")"}) {
    EXPECT_EQ(fault(text), FaultKind::kBadEscape) << text;
  }
}

}  // namespace
}  // namespace tercel::json
