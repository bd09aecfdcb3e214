#include "tercel/http/scan.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "http/h1_input.h"

namespace tercel::http::scan {
namespace {

// Two whole blocks and every tail.
constexpr std::size_t kBytesMax = 47;

// Unlike the classes of HTTP it passes NUL, which fills the block of a short tail.
struct OnlyDel {
  static constexpr bool stops(std::uint8_t c) noexcept { return c == 0x7f; }
#ifdef TERCEL_SCAN_BLOCKS
  static Block stops(Block b) noexcept {
    return b.is(0x7f);
  }
#endif
};

template <typename Class>
class FindTest : public testing::Test {};
using Classes = testing::Types<ValueEnd, TargetMark, NameEnd, HostEnd, OnlyDel>;
TYPED_TEST_SUITE(FindTest, Classes);

template <typename Class>
void expect_engines_agree(std::string_view text) {
  ExactBytes bytes{text};
  const char* const begin = bytes.span().data();
  const char* const end = begin + text.size();
  ASSERT_EQ(find<Class>(begin, end) - begin, find_scalar<Class>(begin, end) - begin) << text;
}

// Every byte at every position of every length.
TYPED_TEST(FindTest, EnginesAgreeOnEveryByteAtEveryPosition) {
  for (std::size_t size = 0; size <= kBytesMax; ++size) {
    std::string text(size, 'a');
    expect_engines_agree<TypeParam>(text);
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        text[at] = static_cast<char>(byte);
        expect_engines_agree<TypeParam>(text);
      }
      text[at] = 'a';
    }
  }
}

// The first of several is found, also where two loads of a tail overlap.
TYPED_TEST(FindTest, EnginesAgreeOnTwoBytesThatStop) {
  for (std::size_t size = 2; size <= kBytesMax; ++size) {
    for (std::size_t first = 0; first < size; ++first) {
      for (std::size_t second = first + 1; second < size; ++second) {
        std::string text(size, 'a');
        text[first] = text[second] = '\x7f';
        expect_engines_agree<TypeParam>(text);
      }
    }
  }
}

TYPED_TEST(FindTest, EnginesAgreeOnRandomBytes) {
  std::mt19937 random{1};
  for (int round = 0; round < 20000; ++round) {
    std::string text(random() % (kBytesMax + 1), '\0');
    for (char& c : text) {
      c = random() % 8 == 0 ? static_cast<char>(random()) : static_cast<char>('0' + random() % 75);
    }
    expect_engines_agree<TypeParam>(text);
  }
}

// The classes against the sentences of the RFCs, byte for byte.
TEST(ScanClassTest, SaysWhatTheGrammarSays) {
  const std::string alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  for (int i = 0; i < 256; ++i) {
    const auto byte = static_cast<std::uint8_t>(i);
    const char c = static_cast<char>(byte);
    const bool letter_or_digit = alphanumeric.find(c) != std::string::npos;
    // RFC 9110 section 5.5: VCHAR, obs-text, SP and HTAB.
    EXPECT_EQ(ValueEnd::stops(byte), !((i >= 0x20 && i <= 0x7e) || i >= 0x80 || i == 0x09)) << i;
    EXPECT_EQ(NameEnd::stops(byte), !(letter_or_digit || c == '-')) << i;
    EXPECT_EQ(HostEnd::stops(byte), !(letter_or_digit || c == '-' || c == '.')) << i;
    const bool visible = i >= 0x21 && i <= 0x7e;
    EXPECT_EQ(TargetMark::stops(byte), !visible || c == '#' || c == '%' || c == '?' || c == '\\');
  }
}

TEST(LowerTest, ChangesUpperCaseLettersOfThePrefixOnly) {
  std::string every(256, '\0');
  for (std::size_t i = 0; i < every.size(); ++i) every[i] = static_cast<char>(i);
  for (std::size_t from = 0; from < 256; from += 7) {
    const std::string text = every.substr(from, kBytesMax);
    for (std::size_t size = 0; size <= text.size(); ++size) {
      std::string expected = text;
      lower_scalar(expected.data(), size);
      ExactBytes bytes{text};
      lower(bytes.span().data(), size, bytes.span().data() + bytes.span().size());
      ASSERT_EQ(std::string(bytes.span().begin(), bytes.span().end()), expected) << size;
    }
  }
  std::string word = "@AZ[`az{\xc1";
  lower_scalar(word.data(), word.size());
  EXPECT_EQ(word, "@az[`az{\xc1");
}

}  // namespace
}  // namespace tercel::http::scan
