#include "tercel/http/set_cookie.h"

#include <limits>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

using std::chrono::seconds;

// What is written; "refused": nothing.
std::string written(const SetCookie& cookie) {
  std::string room(set_cookie_bytes_max(cookie), '!');
  const Result<std::string_view> value = write_set_cookie(cookie, room);
  if (value) return std::string{*value};
  EXPECT_EQ(value.error(), Errc::kBadCookie);
  return "refused";
}

TEST(SetCookieTest, WritesNameAndValue) {
  EXPECT_EQ(written({.name = "a", .value = "b"}), "a=b");
  EXPECT_EQ(written({.name = "a", .value = ""}), "a=");
  EXPECT_EQ(written({.name = "a", .value = "\"b\""}), "a=\"b\"");
}

TEST(SetCookieTest, WritesEveryAttribute) {
  const SetCookie cookie{.name = "__Secure-id",
                         .value = "x",
                         .max_age = seconds{3600},
                         .expires = seconds{784111777},
                         .domain = "example.org",
                         .path = "/a b",
                         .same_site = SameSite::kNone,
                         .secure = true,
                         .http_only = true,
                         .partitioned = true};
  EXPECT_EQ(written(cookie),
            "__Secure-id=x; Max-Age=3600; Expires=Sun, 06 Nov 1994 08:49:37 GMT; "
            "Domain=example.org; Path=/a b; SameSite=None; Secure; HttpOnly; Partitioned");
  EXPECT_EQ(written({.name = "a", .value = "b", .same_site = SameSite::kLax}), "a=b; SameSite=Lax");
  EXPECT_EQ(written({.name = "a", .value = "b", .same_site = SameSite::kStrict}),
            "a=b; SameSite=Strict");
  EXPECT_EQ(written({.name = "a", .value = "", .max_age = seconds{0}}), "a=; Max-Age=0");
}

TEST(SetCookieTest, NeedsNoMoreRoomThanItSays) {
  const seconds longest = seconds::max();
  EXPECT_EQ(written({.name = "a",
                     .value = "b",
                     .max_age = longest,
                     .expires = longest,
                     .domain = "c",
                     .path = "/",
                     .same_site = SameSite::kStrict,
                     .secure = true,
                     .http_only = true,
                     .partitioned = true}),
            "a=b; Max-Age=9223372036854775807; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Domain=c; "
            "Path=/; SameSite=Strict; Secure; HttpOnly; Partitioned");
}

// Each byte in each place, against the grammar.
TEST(SetCookieTest, JudgesEveryByte) {
  constexpr std::string_view kTokenOthers = "!#$%&'*+-.^_`|~";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const std::string text = std::string{"a"} + c + "b";
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool visible = i > 0x20 && i < 0x7f;
    const bool token = alphanumeric || (i != 0 && kTokenOthers.find(c) != std::string_view::npos);
    EXPECT_EQ(written({.name = text, .value = "v"}) != "refused", token) << i;
    EXPECT_EQ(written({.name = "n", .value = text}) != "refused",
              visible && c != '"' && c != ',' && c != ';' && c != '\\')
        << i;
    EXPECT_EQ(written({.name = "n", .value = "v", .domain = text}) != "refused",
              alphanumeric || c == '-' || c == '.')
        << i;
    EXPECT_EQ(written({.name = "n", .value = "v", .path = "/" + text}) != "refused",
              (visible || c == ' ') && c != ';')
        << i;
  }
}

TEST(SetCookieTest, RefusesWhatABrowserWouldDrop) {
  const std::string longest(kCookieBytesMax - 1, 'v');
  EXPECT_NE(written({.name = "n", .value = longest}), "refused");
  EXPECT_EQ(written({.name = "nn", .value = longest}), "refused");
  const std::string path = "/" + std::string(kCookieAttributeBytesMax - 1, 'p');
  EXPECT_NE(written({.name = "n", .value = "v", .path = path}), "refused");
  EXPECT_EQ(written({.name = "n", .value = "v", .path = path + "p"}), "refused");
  const std::string domain(kCookieAttributeBytesMax, 'd');
  EXPECT_NE(written({.name = "n", .value = "v", .domain = domain}), "refused");
  EXPECT_EQ(written({.name = "n", .value = "v", .domain = domain + "d"}), "refused");
  EXPECT_EQ(written({.name = "", .value = "v"}), "refused");
  EXPECT_EQ(written({.name = "n", .value = "\""}), "refused");
  EXPECT_EQ(written({.name = "n", .value = "\"v"}), "refused");
  EXPECT_EQ(written({.name = "n", .value = "v", .path = "a"}), "refused");
  EXPECT_EQ(written({.name = "n", .value = "v", .path = "/a "}), "refused");
  EXPECT_EQ(written({.name = "n", .value = "v", .max_age = seconds{-1}}), "refused");
}

TEST(SetCookieTest, RefusesAttributesThatContradictEachOther) {
  for (const bool secure : {false, true}) {
    const auto allowed = [secure](SetCookie cookie) {
      cookie.secure = secure;
      return written(cookie) != "refused";
    };
    EXPECT_EQ(allowed({.name = "n", .value = "v", .same_site = SameSite::kNone}), secure);
    EXPECT_EQ(allowed({.name = "n", .value = "v", .partitioned = true}), secure);
    EXPECT_EQ(allowed({.name = "__Secure-n", .value = "v"}), secure);
    EXPECT_EQ(allowed({.name = "__SECURE-n", .value = "v"}), secure);
    EXPECT_EQ(allowed({.name = "__Host-n", .value = "v", .path = "/"}), secure);
    EXPECT_FALSE(allowed({.name = "__Host-n", .value = "v"}));
    EXPECT_FALSE(allowed({.name = "__host-n", .value = "v", .path = "/a"}));
    EXPECT_FALSE(allowed({.name = "__Host-n", .value = "v", .domain = "a", .path = "/"}));
    EXPECT_TRUE(allowed({.name = "__Hos-n", .value = "v", .domain = "a"}));
  }
}

}  // namespace
}  // namespace tercel::http
