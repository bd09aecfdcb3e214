#include "tercel/schema/pointer.h"

#include <gtest/gtest.h>

#include "schema/compiled.h"

namespace tercel::schema {
namespace {

// Follows `pointer` from the root.
std::optional<json::Value> follow(json::Value at, std::string_view pointer) {
  while (!pointer.empty()) {
    const auto next = find_child(at, take_token(pointer));
    if (!next) return std::nullopt;
    at = *next;
  }
  return at;
}

constexpr std::string_view kText =
    R"({"a":[1,2.5,{"b/c":{"d~e":["x",[]]}},"y"],"":{"":[null]},"m~1n":0})";

TEST(PointerTest, LeadsToAValueAndBack) {
  const Document document{kText};
  for (const std::string_view pointer :
       {"", "/a", "/a/0", "/a/1", "/a/2", "/a/2/b~1c", "/a/2/b~1c/d~0e", "/a/2/b~1c/d~0e/0",
        "/a/2/b~1c/d~0e/1", "/a/3", "/", "//", "///0", "/m~01n"}) {
    const auto value = follow(document.root(), pointer);
    ASSERT_TRUE(value) << pointer;
    EXPECT_EQ(to_pointer(find_path(document.root(), *value)), pointer);
  }
}

TEST(PointerTest, LeadsNowhereWhereNothingIs) {
  const Document document{kText};
  for (const std::string_view pointer : {"/b", "/a/4", "/a/00", "/a/-1", "/a/-", "/a/x", "/a/0/0",
                                         "/m~1n", "/a/18446744073709551616", "/a/"}) {
    EXPECT_FALSE(follow(document.root(), pointer)) << pointer;
  }
}

TEST(PointerTest, TheWayToAKeyIsThatToItsObject) {
  const Document document{R"({"a":{"b":{"c":1}}})"};
  const json::Value inner = *follow(document.root(), "/a/b");
  const json::Member member = *inner.members().begin();
  EXPECT_EQ(to_pointer(find_path(document.root(), member.name())), "/a/b");
}

// All values of a document and all keys, in its order.
std::vector<json::Value> values_of(json::Value root) {
  std::vector<json::Value> values{root};
  const auto append = [&values](json::Value inner) {
    const std::vector<json::Value> more = values_of(inner);
    values.insert(values.end(), more.begin(), more.end());
  };
  if (root.is_array()) {
    for (const json::Value element : root.elements()) append(element);
  } else if (root.is_object()) {
    for (const json::Member member : root.members()) {
      values.push_back(member.name());
      append(member.value());
    }
  }
  return values;
}

TEST(PointerTest, WaysFollowEachOtherInAnyOrder) {
  const Document document{kText};
  const std::vector<json::Value> values = values_of(document.root());
  ASSERT_GT(values.size(), 15U);
  PathFinder finder;
  finder.start(document.root());
  for (const json::Value first : values) {
    for (const json::Value second : values) {
      for (const json::Value value : {first, second}) {
        const auto path = finder.find(value);
        EXPECT_EQ(to_pointer({path.begin(), path.end()}),
                  to_pointer(find_path(document.root(), value)));
      }
    }
  }
}

TEST(PointerTest, WaysInTheOrderOfTheDocumentCostOneWalk) {
  constexpr std::size_t kElements = 200'000;
  std::string text = "[0";
  for (std::size_t i = 1; i < kElements; ++i) text += ",0";
  const Document document{text + "]"};
  PathFinder finder;
  finder.start(document.root());
  std::size_t index = 0;
  // One walk for each of them would be 2 * 10^10 steps: many times what a test may take.
  for (const json::Value element : document.root().elements()) {
    const auto path = finder.find(element);
    ASSERT_EQ(path.size(), 1U);
    ASSERT_EQ(path[0].index, index++);
  }
}

}  // namespace
}  // namespace tercel::schema
