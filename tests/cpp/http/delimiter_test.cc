#include "tercel/http/delimiter.h"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "http/h1_input.h"

namespace tercel::http {
namespace {

TEST(ValidBoundaryTest, JudgesLengthAndEnd) {
  EXPECT_FALSE(valid_boundary(""));
  EXPECT_TRUE(valid_boundary("a"));
  EXPECT_TRUE(valid_boundary(std::string(70, 'a')));
  EXPECT_FALSE(valid_boundary(std::string(71, 'a')));
  EXPECT_TRUE(valid_boundary("a b"));
  EXPECT_FALSE(valid_boundary("a "));
  EXPECT_FALSE(valid_boundary(" "));
}

TEST(ValidBoundaryTest, JudgesEveryByte) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool other = i != 0 && std::string_view{"'()+_,-./:=? "}.find(c) != std::string::npos;
    EXPECT_EQ(valid_boundary(std::string{c} + "x"), alphanumeric || other) << i;
  }
}

// By the definition, one place after the other.
std::size_t find_slowly(std::string_view delimiter, std::string_view data) {
  for (std::size_t at = 0; at < data.size(); ++at) {
    const std::string_view here = data.substr(at, delimiter.size());
    if (here == delimiter.substr(0, here.size())) return at;
  }
  return data.size();
}

void expect_found(const Delimiter& delimiter, const std::string& data) {
  ExactBytes bytes{data};
  const std::string_view view{bytes.span().data(), data.size()};
  ASSERT_EQ(delimiter.find(view), find_slowly(delimiter.text(), data)) << data;
}

TEST(DelimiterTest, IsTheBoundaryBehindALineEndAndTwoDashes) {
  EXPECT_EQ(Delimiter{"ab"}.text(), "\r\n--ab");
  EXPECT_EQ(Delimiter{std::string(70, 'x')}.text(), "\r\n--" + std::string(70, 'x'));
}

// At every place of data of every length, whole or cut off.
TEST(DelimiterTest, IsFoundAtEveryPlace) {
  for (const std::string& boundary :
       {std::string{"x"}, std::string(13, '-'), std::string(70, 'y')}) {
    const Delimiter delimiter{boundary};
    for (std::size_t size = 0; size <= 160; ++size) {
      for (std::size_t at = 0; at <= size; ++at) {
        std::string data(at, 'a');
        data += delimiter.text();
        data.resize(size, 'b');
        expect_found(delimiter, data);
      }
    }
  }
}

TEST(DelimiterTest, IsFoundBehindWhatLooksLikeIt) {
  std::mt19937 random{20261126};
  const Delimiter delimiter{"bound"};
  const std::string_view text = delimiter.text();
  for (int round = 0; round < 50000; ++round) {
    std::string data;
    while (data.size() < round % 100U) {
      const std::size_t bytes = random() % (text.size() + 1);
      data += text.substr(0, bytes);
      if (random() % 4 == 0) data += "\r\nd-"[random() % 4];
    }
    expect_found(delimiter, data);
  }
}

// Candidates by the million that fail late, and CR as often as can be.
TEST(DelimiterTest, IsSearchedInLinearTime) {
  const Delimiter delimiter{std::string(69, 'b') + 'd'};
  const std::string almost = "\r\n--" + std::string(69, 'b') + 'c';
  for (const std::string& piece : {almost, std::string(73, '\r') + std::string(73, 'd'),
                                   std::string{"\r"}, std::string{"\r\n--bd"}}) {
    std::string data;
    while (data.size() < 4 * 1024 * 1024) data += piece;
    EXPECT_GE(delimiter.find(data), data.size() - 74);
    EXPECT_EQ(delimiter.find(data + std::string{delimiter.text()}), data.size());
  }
}

}  // namespace
}  // namespace tercel::http
