#include "tercel/http/url.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

TEST(ValidAuthorityTest, TakesHostsWithAndWithoutPorts) {
  for (std::string_view good :
       {"a", "example.org", "example.org:80", "a:", "a:0", "a:65535", "a:00080", "127.0.0.1",
        "127.0.0.1:8000", "xn--bcher-kva.example", "under_score", "a,b", "a%20b", "%41:1", "~",
        "999.999.999.999", "a-very-long-name-of-more-than-sixteen-bytes.example.org:12345"}) {
    EXPECT_TRUE(valid_authority(good)) << good;
  }
}

TEST(ValidAuthorityTest, RefusesWhatIsNoHost) {
  for (std::string_view bad : {"",        ":",
                               ":80",     "a:65536",
                               "a:80x",   "a:-1",
                               "a:+1",    "a: 80",
                               "a:80:80", "a b",
                               "a/b",     "http://a",
                               "a?b",     "a#b",
                               "a@b",     "user@a",
                               "a\\b",    "a\"b",
                               "a<b",     "a\xe9",
                               "a\x7f",   "a%",
                               "a%4",     "a%zz",
                               "a[b]",    "a:99999999999999999999"}) {
    EXPECT_FALSE(valid_authority(bad)) << bad;
  }
  EXPECT_FALSE(valid_authority(std::string_view{"a\0b", 3}));
}

TEST(ValidAuthorityTest, TakesBracketedIpv6) {
  for (std::string_view good :
       {"[::]", "[::1]", "[::1]:80", "[::1]:", "[1:2:3:4:5:6:7:8]", "[1::8]", "[1:2:3:4:5:6:7::]",
        "[::2:3:4:5:6:7:8]", "[2001:DB8::ffff]", "[::ffff:192.0.2.1]", "[::192.0.2.1]",
        "[64:ff9b::192.0.2.33]:443", "[1:2:3:4:5:6:192.0.2.1]"}) {
    EXPECT_TRUE(valid_authority(good)) << good;
  }
}

TEST(ValidAuthorityTest, RefusesMalformedIpv6) {
  for (std::string_view bad : {"[",
                               "[]",
                               "::1",
                               "[::1",
                               "[::1]80",
                               "[::1]:x",
                               "[:::]",
                               "[1::2::3]",
                               "[1:2:3:4:5:6:7]",
                               "[1:2:3:4:5:6:7:8:9]",
                               "[1:2:3:4:5:6:7::8]",
                               "[12345::]",
                               "[g::]",
                               "[:1]",
                               "[1:]",
                               "[1:2:3:4:5:6:7:]",
                               "[::1%25eth0]",
                               "[::1%eth0]",
                               "[v1.a]",
                               "[192.0.2.1]",
                               "[::1.2.3]",
                               "[::1.2.3.4.5]",
                               "[::256.0.0.1]",
                               "[::01.2.3.4]",
                               "[192.0.2.1::]",
                               "[::192.0.2.1:1]",
                               "[1:2:3:4:5:6:7:192.0.2.1]",
                               "[ ::1]"}) {
    EXPECT_FALSE(valid_authority(bad)) << bad;
  }
}

// Each byte within a name, against the grammar: unreserved / sub-delims / ":" as the port's mark.
TEST(ValidAuthorityTest, JudgesEveryByte) {
  constexpr std::string_view kOthers = "-._~!$&'()*+,;=";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool allowed = alphanumeric || (c != '\0' && kOthers.find(c) != std::string_view::npos);
    EXPECT_EQ(valid_authority(std::string{"a"} + c + "b"), allowed) << i;
    EXPECT_EQ(valid_authority(std::string(20, 'a') + c + "b"), allowed) << i;
  }
}

}  // namespace
}  // namespace tercel::http
