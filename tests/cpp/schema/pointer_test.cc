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

}  // namespace
}  // namespace tercel::schema
