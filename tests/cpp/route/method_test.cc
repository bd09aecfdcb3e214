#include "tercel/route/method.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::route {
namespace {

TEST(MethodTest, NamesAndNumbersAreTheSame) {
  for (std::size_t i = 0; i < kMethodNames.size(); ++i) {
    const auto method = static_cast<Method>(i);
    EXPECT_EQ(name_of(method), kMethodNames[i]);
    EXPECT_EQ(parse_method(kMethodNames[i]), method);
  }
}

TEST(MethodTest, EveryOtherNameHasNoNumber) {
  for (const std::string_view name : kMethodNames) {
    for (std::size_t i = 0; i < name.size(); ++i) {
      std::string other{name};
      other[i] = static_cast<char>(other[i] | 0x20);
      EXPECT_FALSE(parse_method(other)) << other;
      EXPECT_FALSE(parse_method(name.substr(0, i))) << name.substr(0, i);
    }
    EXPECT_FALSE(parse_method(std::string{name} + "X")) << name;
  }
  for (const std::string_view name : {"", "X", "PX", "P", "PURGE", "QUERY", "GETS"}) {
    EXPECT_FALSE(parse_method(name)) << name;
  }
}

TEST(MethodSetTest, HoldsWhatWasAdded) {
  for (std::size_t i = 0; i < kMethodNames.size(); ++i) {
    MethodSet set;
    EXPECT_TRUE(set.empty());
    set.add(static_cast<Method>(i));
    EXPECT_FALSE(set.empty());
    for (std::size_t j = 0; j < kMethodNames.size(); ++j) {
      EXPECT_EQ(set.has(static_cast<Method>(j)), i == j);
    }
  }
}

}  // namespace
}  // namespace tercel::route
