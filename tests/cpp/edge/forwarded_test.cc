#include "tercel/edge/forwarded.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::edge {
namespace {

using Texts = std::vector<std::string>;

// The elements of fields x with these values, in the order of LastFirst.
Texts elements(const std::vector<std::string_view>& values) {
  std::vector<http::Field> fields;
  for (const std::string_view value : values) fields.push_back({"x", value});
  LastFirst list{fields, "x"};
  Texts found;
  while (const auto element = list.next()) found.emplace_back(*element);
  return found;
}

TEST(LastFirstTest, ReadsFieldsAndElementsFromTheEnd) {
  EXPECT_EQ(elements({"a, b,c", "d\t,  e"}), (Texts{"e", "d", "c", "b", "a"}));
  EXPECT_EQ(elements({"one"}), (Texts{"one"}));
}

TEST(LastFirstTest, EmptyElementsAndOtherFieldsAreNotThere) {
  EXPECT_EQ(elements({", a ,, ,b,", "", " , "}), (Texts{"b", "a"}));
  EXPECT_EQ(elements({}), Texts{});
  const std::array<http::Field, 3> fields{{{"x", "a"}, {"xx", "b"}, {"X", "c"}}};
  LastFirst list{fields, "x"};
  EXPECT_EQ(list.next(), "a");
  EXPECT_EQ(list.next(), std::nullopt);
  EXPECT_EQ(list.next(), std::nullopt);
}

TEST(LastFirstTest, ACommaInQuotesIsPartOfItsElement) {
  EXPECT_EQ(elements({"a=\"1,2\",b=\"3,\";c=\",4\""}), (Texts{"b=\"3,\";c=\",4\"", "a=\"1,2\""}));
}

// What stands before an element never changes it: every start of a list, however broken.
TEST(LastFirstTest, NothingBeforeAnElementChangesIt) {
  constexpr std::string_view kBytes = "a\",;= \\";
  std::string start(4, ' ');
  for (const char a : kBytes) {
    for (const char b : kBytes) {
      for (const char c : kBytes) {
        for (const char d : kBytes) {
          start.assign({a, b, c, d});
          const std::string list = start + ", for=\"[2001:db8::1]:80\";by=\"x,y\"";
          ASSERT_EQ(elements({list}).front(), "for=\"[2001:db8::1]:80\";by=\"x,y\"") << start;
        }
      }
    }
  }
}

Address ip(std::string_view text, std::uint16_t port = 0) {
  return *parse_ip(text, port);
}

TEST(ParseNodeTest, AddressesWithAndWithoutPort) {
  EXPECT_EQ(parse_node("192.0.2.1"), ip("192.0.2.1"));
  EXPECT_EQ(parse_node("192.0.2.1:80"), ip("192.0.2.1", 80));
  EXPECT_EQ(parse_node("192.0.2.1:65535"), ip("192.0.2.1", 65535));
  EXPECT_EQ(parse_node("2001:db8::1"), ip("2001:db8::1"));
  EXPECT_EQ(parse_node("2001:db8::1:4711"), ip("2001:db8::1:4711"));
  EXPECT_EQ(parse_node("[2001:db8::1]"), ip("2001:db8::1"));
  EXPECT_EQ(parse_node("[2001:db8::1]:4711"), ip("2001:db8::1", 4711));
}

TEST(ParseNodeTest, AnIpv4AddressInIpv6FormBecomesIpv4) {
  EXPECT_EQ(parse_node("::ffff:192.0.2.1"), ip("192.0.2.1"));
  EXPECT_EQ(parse_node("[::ffff:192.0.2.1]:80"), ip("192.0.2.1", 80));
}

TEST(ParseNodeTest, WhoIsNotToldIsNobody) {
  for (const char* text :
       {"unknown", "Unknown", "_hidden", "_SEVKISEK", "_a.b-c_d", "unknown:80", "_x:_y"}) {
    EXPECT_EQ(parse_node(text), Address{}) << text;
  }
  EXPECT_EQ(parse_node("192.0.2.1:_port"), ip("192.0.2.1"));
  EXPECT_EQ(parse_node("[2001:db8::1]:_1"), ip("2001:db8::1"));
}

TEST(ParseNodeTest, AnythingElseIsMalformed) {
  for (const char* text : {"",
                           " ",
                           "localhost",
                           "example.com",
                           "192.0.2",
                           "192.0.2.256",
                           "192.0.2.01",
                           "192.0.2.1:",
                           "192.0.2.1:x",
                           "192.0.2.1:-1",
                           "192.0.2.1:65536",
                           "192.0.2.1:000080",
                           "192.0.2.1 ",
                           " 192.0.2.1",
                           "192.0.2.1/32",
                           "[192.0.2.1]",
                           "[192.0.2.1]:80",
                           "[2001:db8::1",
                           "[]",
                           "[",
                           "2001:db8::1]",
                           "[2001:db8::1]80",
                           "[2001:db8::1]:",
                           "[2001:db8::1]:x",
                           "[::1]:80:80",
                           "fe80::1%eth0",
                           "[fe80::1%25eth0]",
                           ":80",
                           ":",
                           "::1::",
                           "_",
                           "_:80",
                           "_a b",
                           "_a/b",
                           "[unknown]",
                           "unknown:",
                           "\"192.0.2.1\"",
                           "1.2.3.4, 5.6.7.8",
                           "0x7f.0.0.1",
                           "2130706433",
                           "unknow",
                           "\xff",
                           "192.0.2.1\t"}) {
    EXPECT_EQ(parse_node(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_node({"192.0.2.1\0", 10}), std::nullopt);
  EXPECT_EQ(parse_node(std::string(65536, '1')), std::nullopt);
  EXPECT_EQ(parse_node(std::string(65536, ':')), std::nullopt);
}

// One line for an element: what it says, or "malformed".
std::string said(std::string_view element) {
  const auto parsed = parse_forwarded(element);
  if (!parsed) return "malformed";
  const auto shown = [](std::string_view value) {
    return value.data() == nullptr ? std::string{"-"} : std::string{value};
  };
  return shown(parsed->client) + ' ' + shown(parsed->proto) + ' ' + shown(parsed->host);
}

// The examples of RFC 7239 section 4, and what its grammar allows.
TEST(ParseForwardedTest, TakesTheParametersThatMatter) {
  EXPECT_EQ(said("for=\"_gazonk\""), "_gazonk - -");
  EXPECT_EQ(said("For=\"[2001:db8:cafe::17]:4711\""), "[2001:db8:cafe::17]:4711 - -");
  EXPECT_EQ(said("for=192.0.2.60;proto=http;by=203.0.113.43"), "192.0.2.60 http -");
  EXPECT_EQ(said("HOST=example.com;PROTO=https;FOR=192.0.2.1"), "192.0.2.1 https example.com");
  EXPECT_EQ(said("for=192.0.2.1 ; host=\"example.com:80\""), "192.0.2.1 - example.com:80");
  EXPECT_EQ(said("secret=\"a;for=6.6.6.6\";for=192.0.2.1"), "192.0.2.1 - -");
  EXPECT_EQ(said(";;for=192.0.2.1;"), "192.0.2.1 - -");
  EXPECT_EQ(said("by=_x;ext=1"), "- - -");
  EXPECT_EQ(said("for=\"\""), " - -");
}

TEST(ParseForwardedTest, UnquotedAddressesWithAPortAreUnderstood) {
  EXPECT_EQ(said("for=192.0.2.1:80"), "192.0.2.1:80 - -");
  EXPECT_EQ(said("for=[2001:db8::1]:80"), "[2001:db8::1]:80 - -");
}

TEST(ParseForwardedTest, AnythingElseIsMalformed) {
  for (const char* text : {"192.0.2.1",
                           "for",
                           "for=",
                           "=192.0.2.1",
                           "for =192.0.2.1",
                           "for= 192.0.2.1",
                           "for=192.0.2.1;for=192.0.2.2",
                           "for=\"\";for=192.0.2.1",
                           "proto=http;Proto=https",
                           "for=\"192.0.2.1",
                           "for=192.0.2.1\"",
                           "for=\"a\"b",
                           "for=\"192.0.2.1\\\"\"",
                           "host=\"a\\b\";for=192.0.2.1",
                           "for=192.0.2.1 proto=http",
                           "for=a=b",
                           "for=(x)",
                           "f\"r=192.0.2.1",
                           "for=192.0.2.1;proto",
                           "for=\xff",
                           "for=a@b",
                           "\"for=192.0.2.1\""}) {
    EXPECT_EQ(said(text), "malformed") << text;
  }
}

std::string prefix(std::string_view text) {
  return std::string{parse_prefix(text).value_or("malformed")};
}

TEST(ParsePrefixTest, TakesPathsAndDropsTheirLastSlashes) {
  EXPECT_EQ(prefix("/api"), "/api");
  EXPECT_EQ(prefix("/api/v1.2/~x;a=1,@:b"), "/api/v1.2/~x;a=1,@:b");
  EXPECT_EQ(prefix("/api/"), "/api");
  EXPECT_EQ(prefix("/...//"), "/...");
  EXPECT_EQ(prefix("/"), "");
}

// A prefix becomes part of links and redirects: it must not lead to another host.
TEST(ParsePrefixTest, AnythingElseIsMalformed) {
  for (const char* text : {"", "api", "//example.com", "/a//b", "/a/../b", "/a/..", "/.", "/./a",
                           "/a?b", "/a#b", "/a b", "/a%2e%2e", "/a\\b", "\\\\example.com", "/\xc3",
                           "http://example.com", "/a\"b", "/<b>"}) {
    EXPECT_EQ(prefix(text), "malformed") << text;
  }
}

}  // namespace
}  // namespace tercel::edge
