// Which answer belongs to which request.
#include "numbers.h"

#include <vector>

#include <gtest/gtest.h>

#include "message.h"

namespace tercel::load {
namespace {

TEST(NumbersTest, AreGivenOutInOrder) {
  Numbers numbers{7};
  EXPECT_EQ(numbers.take(), 7U);
  EXPECT_EQ(numbers.take(), 8U);
}

TEST(NumbersTest, AnswerMustHoldItsNumberAsAWhole) {
  Numbers numbers{12};
  const std::uint64_t number = numbers.take();
  for (const char* body : {"", "n=", "n=1", "n=123", "n=112", "n=1.2", "n=x", "13", "-1 2"}) {
    EXPECT_EQ(numbers.judge(body, number), Verdict::kWrong) << body;
  }
  EXPECT_EQ(numbers.judge("5 times n=12.", number), Verdict::kRight);
}

TEST(NumbersTest, AnswerOfAnEarlierRequestIsDoubled) {
  Numbers numbers{1};
  const std::uint64_t first = numbers.take();
  const std::uint64_t second = numbers.take();
  const std::uint64_t third = numbers.take();
  EXPECT_EQ(numbers.judge("1", first), Verdict::kRight);
  EXPECT_EQ(numbers.judge("1", second), Verdict::kDoubled);
  EXPECT_EQ(numbers.judge("1", first), Verdict::kDoubled);
  // Not answered yet: a mistake, but no repetition.
  EXPECT_EQ(numbers.judge("3", second), Verdict::kWrong);
  EXPECT_EQ(numbers.judge("2", second), Verdict::kRight);
  EXPECT_EQ(numbers.judge("3", third), Verdict::kRight);
}

TEST(NumbersTest, FindsTheRunsOfDigits) {
  std::string_view text = "a1b0023c99999999999999999999d4";
  std::vector<std::uint64_t> found;
  while (const auto number = next_number(text)) found.push_back(*number);
  EXPECT_EQ(found, (std::vector<std::uint64_t>{1, 23, 4}));
}

TEST(MessageTest, HoldsItsNumber) {
  std::string message = new_message(30);
  EXPECT_EQ(message, "00000000000000000000uvwxyzabcd");
  set_number(message, UINT64_MAX);
  EXPECT_EQ(message, "18446744073709551615uvwxyzabcd");
  EXPECT_EQ(number_of(message), UINT64_MAX);
  set_number(message, 42);
  EXPECT_EQ(number_of(message), 42U);
  EXPECT_EQ(number_of("42"), std::nullopt);
  EXPECT_EQ(number_of("0000000000000000004x"), std::nullopt);
}

}  // namespace
}  // namespace tercel::load
