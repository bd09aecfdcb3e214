// The router against test::SlowRouter: every table of three segments with every text of a small
// alphabet, and random tables of templates with random paths.
#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "route/routes.h"
#include "route/slow_router.h"

namespace tercel::route {
namespace {

// Names are chosen by the level, and sometimes not, so that most templates agree on their fields.
constexpr std::array<std::string_view, 15> kSegments{
    "a",       "b",     "",     "a.b",     "1",        "{x}",         "{x}",        "{x:int}",
    "{x}.{y}", "{x}.b", "a{x}", "{x}a{y}", "{x}aa{y}", "{x:int}a{y}", "{x}.{y:int}"};

std::string random_template(std::mt19937& random) {
  std::string out;
  const std::size_t levels = 1 + random() % 4;
  for (std::size_t level = 0; level < levels; ++level) {
    out += '/';
    if (level + 1 == levels && random() % 8 == 0) return out + "{rest:path}";
    const std::string suffix = std::to_string(random() % 20 == 0 ? 9 : level);
    for (const char c : kSegments[random() % kSegments.size()]) {
      out += c;
      if (c == 'x' || c == 'y') out += suffix;
    }
  }
  return out;
}

std::vector<std::string> small_paths() {
  constexpr std::array<std::string_view, 7> kTexts{"", "a", "b", "1", "a.b", "1a1", "aaa.1"};
  std::vector<std::string> out{""};
  std::size_t begin = 0;
  for (int level = 0; level < 3; ++level) {
    const std::size_t end = out.size();
    for (; begin < end; ++begin) {
      for (const std::string_view text : kTexts) {
        out.push_back(out[begin] + "/" + std::string{text});
      }
    }
  }
  out.erase(out.begin());
  return out;
}

std::string random_path(std::mt19937& random) {
  std::string out = "/";
  const std::size_t size = random() % 24;
  for (std::size_t i = 0; i < size; ++i) out += "/a.1b/aa"[random() % 8];
  return out;
}

std::string percent_encoded(const std::string& path, std::mt19937& random) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : path) {
    if (c == '/' || random() % 3 != 0) {
      out += c;
    } else {
      ((out += '%') += kDigits[static_cast<unsigned char>(c) >> 4]) += kDigits[c & 15];
    }
  }
  return out;
}

std::string without_converters(std::string text) {
  for (std::size_t at = text.find(":int"); at != std::string::npos; at = text.find(":int")) {
    text.erase(at, 4);
  }
  return text;
}

// All texts of up to three of these bytes, "" included.
std::vector<std::string> small_texts() {
  std::vector<std::string> out{""};
  for (std::size_t i = 0; out[i].size() < 3; ++i) {
    for (const char c : {'a', '.', '1'}) out.push_back(out[i] + c);
  }
  return out;
}

TEST(RouterOracleTest, EveryTableOfThreeSegmentsIsAsTheSlowRoutersIs) {
  const std::vector<std::string> texts = small_texts();
  std::vector<std::string> templates{"/{rest:path}"};
  for (const std::string_view segment : kSegments) templates.push_back("/" + std::string{segment});
  const std::size_t count = templates.size();
  for (std::size_t table = 0; table < count * count * count; ++table) {
    const std::size_t order[] = {table % count, table / count % count, table / count / count};
    if (order[0] > order[1] || order[1] > order[2]) continue;
    RouterBuilder builder;
    test::SlowRouter slow;
    std::vector<std::string> taken;
    for (const std::size_t i : order) {
      // What differs in its converters, or not at all, is all that is refused.
      const bool conflict = std::any_of(taken.begin(), taken.end(), [&](const std::string& each) {
        return without_converters(each) == without_converters(templates[i]);
      });
      const Problem problem = builder.add({.method = "GET", .path = templates[i]});
      ASSERT_EQ(problem.has_value(), conflict) << templates[i];
      if (problem) continue;
      slow.add(templates[i]);
      taken.push_back(templates[i]);
    }
    const Router router = std::move(builder).compile();
    for (const std::string& text : texts) {
      ASSERT_EQ(test::found(router, "GET", "/" + text), slow.find("/" + text)) << text;
    }
  }
}

TEST(RouterOracleTest, ASlowRouterFindsTheSameWhateverTheOrder) {
  std::mt19937 random{20261126};
  const std::vector<std::string> paths = small_paths();
  std::size_t registered = 0;
  std::size_t found = 0;
  constexpr std::size_t kTables = 40;
  constexpr std::size_t kTemplates = 24;
  for (std::size_t table = 0; table < kTables; ++table) {
    RouterBuilder builder;
    test::SlowRouter slow;
    std::vector<std::string> taken;
    for (std::size_t i = 0; i < kTemplates; ++i) {
      const std::string text = random_template(random);
      if (builder.add({.method = "GET", .path = text})) continue;
      slow.add(text);
      taken.push_back(text);
    }
    registered += taken.size();
    const Router router = std::move(builder).compile();
    RouterBuilder other_order;
    std::shuffle(taken.begin(), taken.end(), random);
    for (const std::string& text : taken) {
      ASSERT_FALSE(other_order.add({.method = "GET", .path = text})) << text;
    }
    const Router shuffled = std::move(other_order).compile();
    std::vector<std::string> tried;
    for (int i = 0; i < 40; ++i) tried.push_back(paths[random() % paths.size()]);
    for (int i = 0; i < 40; ++i) tried.push_back(random_path(random));
    for (const std::string& path : table == 0 ? paths : tried) {
      const std::string expected = slow.find(path);
      ASSERT_EQ(test::found(router, "GET", path), expected) << path;
      const std::string encoded = percent_encoded(path, random);
      ASSERT_EQ(test::found(shuffled, "GET", encoded), expected) << encoded;
      found += expected == "404" ? 0 : 1;
    }
  }
  // The tables are not mostly refused, nor the paths mostly unknown.
  EXPECT_GT(registered, kTables * kTemplates / 2);
  EXPECT_GT(found, kTables * 20);
}

}  // namespace
}  // namespace tercel::route
