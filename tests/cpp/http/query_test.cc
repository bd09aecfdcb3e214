#include "tercel/http/query.h"

#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "http/h1_input.h"

namespace tercel::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Read {
  Pairs pairs;
  std::optional<Errc> error;
  bool operator==(const Read&) const = default;
};

Read read_all(QueryPairs query) {
  Read read;
  QueryPair pair;
  for (;;) {
    const Result<bool> more = query.next(pair);
    if (!more) read.error = more.error();
    if (!more || !*more) return read;
    read.pairs.emplace_back(pair.name, pair.value);
  }
}

// With a scratch of its own and in place, which must not differ.
Read read(std::string_view text, Escapes escapes = Escapes::kLenient, QueryLimits limits = {}) {
  ExactBytes bytes{text};
  const std::string_view view{bytes.span().data(), text.size()};
  std::string scratch(text.size(), '!');
  const Read apart = read_all({view, scratch, escapes, limits});
  EXPECT_EQ(view, text);
  EXPECT_EQ(read_all({view, bytes.span(), escapes, limits}), apart) << text;
  return apart;
}

Pairs pairs_of(std::string_view text) {
  const Read all = read(text);
  EXPECT_EQ(all.error, std::nullopt) << text;
  return all.pairs;
}

TEST(QueryPairsTest, CutsAtAmpersandsAndAtTheFirstEqualsSign) {
  EXPECT_EQ(pairs_of(""), Pairs{});
  EXPECT_EQ(pairs_of("a=1"), (Pairs{{"a", "1"}}));
  EXPECT_EQ(pairs_of("a=1&b=2&a=3"), (Pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}}));
  EXPECT_EQ(pairs_of("a=b=c==&d"), (Pairs{{"a", "b=c=="}, {"d", ""}}));
  EXPECT_EQ(pairs_of("a&b="), (Pairs{{"a", ""}, {"b", ""}}));
  EXPECT_EQ(pairs_of("=a&="), (Pairs{{"", "a"}, {"", ""}}));
}

TEST(QueryPairsTest, SkipsEmptyPieces) {
  EXPECT_EQ(pairs_of("&&&"), Pairs{});
  EXPECT_EQ(pairs_of("&&a=1&&b=2&&"), (Pairs{{"a", "1"}, {"b", "2"}}));
}

TEST(QueryPairsTest, SemicolonsSeparateNothing) {
  EXPECT_EQ(pairs_of("a=1;b=2"), (Pairs{{"a", "1;b=2"}}));
}

TEST(QueryPairsTest, DecodesPlusAndEscapesOnce) {
  EXPECT_EQ(pairs_of("a+b=c+d"), (Pairs{{"a b", "c d"}}));
  EXPECT_EQ(pairs_of("%61%2b=%2B+%26%3d"), (Pairs{{"a+", "+ &="}}));
  EXPECT_EQ(pairs_of("a=%2541"), (Pairs{{"a", "%41"}}));
  EXPECT_EQ(pairs_of("a=%00"), (Pairs{{"a", std::string(1, '\0')}}));
}

TEST(QueryPairsTest, KeepsWhatIsNoEscapeOrRefusesIt) {
  for (const std::string bad : {"%", "%4", "%zz", "%4g", "x%"}) {
    EXPECT_EQ(pairs_of("a=" + bad), (Pairs{{"a", bad}}));
    EXPECT_EQ(pairs_of(bad + "&b=1"), (Pairs{{bad, ""}, {"b", "1"}}));
    EXPECT_EQ(read("a=1&b=" + bad, Escapes::kStrict), (Read{{{"a", "1"}}, Errc::kBadQuery}));
    EXPECT_EQ(read(bad + "=b", Escapes::kStrict), (Read{{}, Errc::kBadQuery}));
  }
  EXPECT_EQ(read("%41=+", Escapes::kStrict), (Read{{{"A", " "}}, {}}));
  // Two digits are looked for in the part itself, not in what follows.
  EXPECT_EQ(pairs_of("a=%4&1=2"), (Pairs{{"a", "%4"}, {"1", "2"}}));
}

TEST(QueryPairsTest, TouchesTheScratchOnlyWhereSomethingIsDecoded) {
  const std::string_view text = "name=a+b&plain=value&utf8=\xc3\xbc";
  std::string scratch(text.size(), '!');
  QueryPairs query{text, scratch};
  QueryPair pair;
  std::vector<bool> views;
  while (*query.next(pair)) {
    views.push_back(pair.value.data() >= text.data() &&
                    pair.value.data() < text.data() + text.size());
  }
  EXPECT_EQ(views, (std::vector<bool>{false, true, true}));
  EXPECT_EQ(scratch, "!!!!!a b" + std::string(text.size() - 8, '!'));
}

TEST(QueryPairsTest, TellsWhatIsNotUtf8) {
  struct Case {
    std::string_view text;
    bool name_is_utf8;
    bool value_is_utf8;
  };
  for (const Case& c :
       {Case{"a=%C3%BC", true, true}, Case{"a=\xc3\xbc", true, true}, Case{"a=%FC", true, false},
        Case{"a=\xfc", true, false}, Case{"%C3=%BC", false, false}, Case{"\xc3=a", false, true},
        Case{"a=%ED%A0%80", true, false}, Case{"%ff", false, true}}) {
    std::string scratch(c.text.size(), '!');
    QueryPairs query{c.text, scratch};
    QueryPair pair;
    ASSERT_TRUE(*query.next(pair));
    EXPECT_EQ(pair.name_is_utf8, c.name_is_utf8) << c.text;
    EXPECT_EQ(pair.value_is_utf8, c.value_is_utf8) << c.text;
  }
}

TEST(QueryPairsTest, IsHeldToItsLimits) {
  const QueryLimits limits{.pairs_max = 2, .bytes_max = 11};
  EXPECT_EQ(read("a=1&&b=2", {}, limits), (Read{{{"a", "1"}, {"b", "2"}}, {}}));
  EXPECT_EQ(read("a=1&b=2&c=3", {}, limits), (Read{{{"a", "1"}, {"b", "2"}}, Errc::kTooManyPairs}));
  EXPECT_EQ(read("a=1&b=2&c=34", {}, limits), (Read{{}, Errc::kFormTooLarge}));
}

// The standard's steps, one after the other.
Pairs parse_as_the_standard_says(std::string_view text) {
  const auto decode = [](std::string_view part) {
    std::string out;
    for (std::size_t i = 0; i < part.size(); ++i) {
      const std::string_view digits = part.substr(i + 1, 2);
      const bool escape = part[i] == '%' && digits.size() == 2 &&
                          digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos;
      out += part[i] == '+' ? ' '
             : escape       ? static_cast<char>(std::stoi(std::string{digits}, nullptr, 16))
                            : part[i];
      if (escape) i += 2;
    }
    return out;
  };
  Pairs pairs;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t stop = std::min(text.find('&', start), text.size());
    const std::string_view piece = text.substr(start, stop - start);
    start = stop + 1;
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    pairs.emplace_back(decode(piece.substr(0, equals)),
                       equals < piece.size() ? decode(piece.substr(equals + 1)) : "");
  }
  return pairs;
}

TEST(QueryPairsTest, FollowsTheStandardOnRandomText) {
  std::mt19937 random{20261126};
  constexpr std::string_view kLetters = "&&==++%%%4aF0;x\xc3\xbc\xff abcdefghijklmnop";
  for (int round = 0; round < 20000; ++round) {
    std::string text(random() % 64, ' ');
    for (char& c : text) c = kLetters[random() % (round % 2 == 0 ? kLetters.size() : 14)];
    ASSERT_EQ(pairs_of(text), parse_as_the_standard_says(text)) << text;
  }
}

}  // namespace
}  // namespace tercel::http
