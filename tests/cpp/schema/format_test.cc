#include "tercel/schema/format.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::schema {
namespace {

struct Case {
  std::string_view format;
  std::vector<std::string_view> valid;
  std::vector<std::string_view> invalid;
};

// The official suite has many more; these are the edges.
const std::vector<Case>& cases() {
  static const std::vector<Case> cases{
      {"date",
       {"2020-02-29", "2000-02-29", "0000-01-01"},
       {"2019-02-29", "1900-02-29", "2020-1-01", "2020-13-01", "2020-00-01", "2020-01-00",
        "2020-04-31", "2020-01-01 ", "20200101", ""}},
      {"time",
       {"00:00:00Z", "23:59:60Z", "23:59:60.5z", "00:59:60+01:00", "22:59:60-01:00",
        "12:00:00.123456789+23:59"},
       {"24:00:00Z", "00:60:00Z", "12:00:60Z", "23:59:60+01:00", "12:00:00", "12:00:00.Z", "12:00Z",
        "12:00:00+1:00", "12:00:00+24:00", "12:00:00+00:60", "12:00:00ZZ"}},
      {"date-time",
       {"2020-01-01T00:00:00Z", "2020-01-01t00:00:00z"},
       {"2020-01-01 00:00:00Z", "2020-01-01", "2020-01-01T", "2020-02-30T00:00:00Z"}},
      {"duration",
       {"P1Y", "P1Y2M3D", "P1M", "P1DT1H", "PT1H2M3S", "PT36H", "P4W", "PT1M", "P0D"},
       {"P", "PT", "P1YT", "1Y", "P1Y1W", "P1D1Y", "P1Y1D", "PT1H1S", "P1.5D", "PT1D", "P1S",
        "P-1D", "P1WT1H", "PT1M1H"}},
      {"email",
       {"a@b", "a.b+c@d-e.f", "\"a\\\"b\"@c", "a@[1.2.3.4]", "a@[IPv6:::]"},
       {"a", "@b", "a@", "a@b@c", ".a@b", "a.@b", "a..b@c", "a b@c", "\"a@b", "a@[1.2.3]", "a@-b",
        "\"\xC3\xA9\"@a", "\xC3\xA9@a", "\"a\\"}},
      {"idn-email", {"\xC3\xA9@\xC3\xA9.fr", "a@b"}, {"a", "\xC3\xA9@", "\xC3\xA9 b@c"}},
      {"hostname",
       {"a", "a.b", "a-b", "1.2", "xn--9n2bp8q"},
       {"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "xn--", "xn--X", "xn--99999999999",
        "\xC3\xA9"}},
      {"idn-hostname",
       {"a", "\xC3\xA9.fr",
        "a\xE3\x80\x82"
        "b",
        "xn--9n2bp8q", "A.b", "\xD7\x90.\xD7\x91"},
       {"", ".", "a.", "-a", "\xC3\xA9-", "\xC3\x89", "ab--c", "ab--\xC3\xA9", "xn--a", "xn--ab-",
        "\xD7\x90.1a", "a\xD7\x90", "a_b", "\xEF\xBC\xA1"}},
      {"ipv4",
       {"1.2.3.4", "0.0.0.0", "255.255.255.255"},
       {"1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", "0x1.2.3.4", " 1.2.3.4", "::1",
        "1.2.3.4/8"}},
      {"ipv6",
       {"::", "::1", "1:2:3:4:5:6:7:8", "::1.2.3.4", "fe80::"},
       {"1.2.3.4", ":", ":::", "1::2::3", "12345::", "::1%eth0", "1:2:3:4:5:6:7:8:9", "::1 ",
        "[::1]"}},
      {"uri",
       {"http://a", "a:", "urn:a:b", "http://u:p@[::1]:8/a?b#c", "http://[v1.a:b]/", "a:%41"},
       {"", "a", "/a", "//a", ":a", "1a:b", "a:%4", "a:b c", "a:\"", "http://[::1",
        "http://[1.2.3.4]/", "http://a:x", "http://[v1.]/", "a:\xC3\xA9", "a:#b#c", "http://a\\b"}},
      {"uri-reference",
       {"", "a", "/a", "//a/b", "?a", "#a", "./a:b"},
       {"a\\b", "1:a", "#a#b", "%"}},
      {"iri", {"http://\xC3\xA9/\xC3\xA9?\xC3\xA9#\xC3\xA9"}, {"\xC3\xA9", "http://a b"}},
      {"iri-reference", {"\xC3\xA9", "//\xC3\xA9"}, {"\xC3\xA9 a", "<"}},
      {"uuid",
       {"00000000-0000-0000-0000-000000000000", "2EB8AA08-AA98-11EA-B4AA-73B441D16380"},
       {"", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08aa98-11ea-b4aa-73b441d163800-",
        "2eb8aa08-aa98-11ea-b4aa-73b441d1638g", "{2eb8aa08-aa98-11ea-b4aa-73b441d16380}"}},
      {"uri-template",
       {"", "a{b}c", "{+a,b:3,c*}", "{%41.b}", "{_}"},
       {"{", "}", "{}", "{a", "a}", "{a,}", "{a:0}", "{a:12345}", "{a*b}", "{.}", "{a.}", "{!a}",
        "%4", "a\"b", "{a:b}", "{=a}"}},
      {"json-pointer", {"", "/", "/a/~0~1", "//"}, {"a", "#", "/~", "/~2", "/a~"}},
      {"relative-json-pointer",
       {"0", "1/a", "0#", "12", "1+1/a", "1-2#"},
       {"", "/a", "01", "-1", "1a", "0##", "1+", "1+01", "#"}},
      {"tercel:date-time",
       {"2020-02-29T00:00:00", "2020-01-01 00:00:00+0100", "2020-01-01t23:59:59.1234567z",
        "0001-01-01T00:00:00-23:59", "9999-12-31T23:59:59.9999994", "9999-12-31T23:59:58.9999999"},
       {"2020-02-30T00:00:00", "0000-01-01T00:00:00", "2020-01-01T00:00:60Z", "2020-01-01T00:00",
        "2020-01-01_00:00:00", "2020-01-01T00:00:00.", "2020-01-01T00:00:00+24:00",
        "2020-01-01T00:00:00+1", "9999-12-31T23:59:59.9999995", "2020-01-01"}},
      {"tercel:local-date-time", {"2020-01-01T00:00:00"}, {"2020-01-01T00:00:00Z"}},
      {"tercel:zoned-date-time", {"2020-01-01T00:00:00Z"}, {"2020-01-01T00:00:00"}},
      {"tercel:time",
       {"00:00:00", "23:59:59.5-0130"},
       {"24:00:00", "23:59:60Z", "12:00", "12:00:00+0"}},
      {"tercel:local-time", {"00:00:00"}, {"00:00:00Z"}},
      {"tercel:zoned-time", {"00:00:00Z"}, {"00:00:00"}},
      {"tercel:date", {"0001-01-01", "9999-12-31"}, {"0000-12-31", "2021-02-29", "2021-02-28 "}},
      {"tercel:duration",
       {"P1D", "-P1DT2H3M4.5S", "+pt1s", "PT36H", "PT1.5M", "P999999999D", "P00000000000000000001D",
        "PT86399999913600S"},
       {"", "P", "PT", "P1DT", "P1W", "P1Y", "P1M", "P1.5DT1H", "PT1.5M2S", "PT1M1H", "PT1H1H",
        "P1000000000D", "P999999999DT1S", "PT99999999999999999999S", "P1.D", "P1", "PT1", "P.5D"}},
      {"tercel:decimal",
       {"1", "-1.5", "+.5", "5.", "1e5", "1E-00000000000000005"},
       {"", ".", "-", "1_0", " 1", "nan", "Infinity", "1e", "1e+", "1e100000000000000000",
        "1.5.5"}},
      {"tercel:integer",
       {"0", "-1", "-0", "123456789012345678901"},
       {"", "-", "+1", "01", "1.0", " 1"}},
      {"tercel:base64",
       {"", "YQ==", "YWI=", "a+/9"},
       {"YQ", "YQ=", "====", "=", "Y===", "YQ==YQ==", "-_a="}},
      {"regex", {"", "a(?=b)", "(a)\\1", "\\p{L}", "[]"}, {"(", "\\a", "*", "a{2,1}"}}};
  return cases;
}

TEST(FormatTest, TellsWhatIsFromWhatIsNot) {
  for (const auto& [name, valid, invalid] : cases()) {
    const auto format = find_format(name);
    ASSERT_TRUE(format) << name;
    for (const std::string_view text : valid)
      EXPECT_TRUE(has_format(text, *format)) << name << ' ' << text;
    for (const std::string_view text : invalid) {
      EXPECT_FALSE(has_format(text, *format)) << name << ' ' << text;
    }
  }
  EXPECT_FALSE(find_format("color"));
  EXPECT_FALSE(find_format(""));
}

// What is cut off, at every byte: nothing is read beyond the end (AddressSanitizer looks).
TEST(FormatTest, EveryBeginningIsJudgedCalmly) {
  int judged = 0;
  for (const auto& [name, valid, invalid] : cases()) {
    for (const std::string_view text : valid) {
      for (std::size_t size = 0; size <= text.size(); ++size) {
        const std::vector<char> exact{text.begin(),
                                      text.begin() + static_cast<std::ptrdiff_t>(size)};
        for (const auto& other : cases()) {
          judged += has_format({exact.data(), exact.size()}, *find_format(other.format)) ? 1 : 2;
        }
      }
    }
  }
  EXPECT_GT(judged, 10000);
}

TEST(FormatTest, AnIntegerHasAsManyDigitsAsPythonTakes) {
  EXPECT_TRUE(is_integer_text(std::string(4300, '9')));
  EXPECT_FALSE(is_integer_text(std::string(4301, '9')));
}

TEST(FormatTest, LongNamesAreRefused) {
  const std::string label(63, 'a');
  EXPECT_TRUE(is_hostname(label + "." + label + "." + label + "." + std::string(61, 'a')));
  EXPECT_FALSE(is_hostname(label + "." + label + "." + label + "." + std::string(62, 'a')));
  EXPECT_FALSE(is_hostname(label + "a"));
  EXPECT_TRUE(is_email(std::string(64, 'a') + "@b"));
  EXPECT_FALSE(is_email(std::string(65, 'a') + "@b"));
}

}  // namespace
}  // namespace tercel::schema
