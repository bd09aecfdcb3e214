#include "tercel/edge/conditional_answer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "edge/file_fixture.h"

namespace tercel::edge {
namespace {

using test::status_of;

constexpr std::chrono::seconds kNow{1'700'000'000};

// Answers 200, unless the conditions say otherwise.
class ConditionalAnswerTest : public testing::Test, public http::Handler {
 protected:
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    const http::Response response{.status = status_, .fields = fields_};
    const auto answered = answer_conditions(exchange, asked_by(request), response,
                                            validators_of(fields_, kNow), kNow);
    if (answered) return;
    ASSERT_TRUE(exchange.start(response));
    ASSERT_TRUE(exchange.write(http::Payload::borrow("body"), http::Final::kYes));
  }
  [[nodiscard]] std::string status(std::string_view fields) {
    return status_of(server_.get("/", fields));
  }

  std::uint16_t status_ = 200;
  std::vector<http::Field> fields_;
  test::FileServer server_{*this};
};

TEST_F(ConditionalAnswerTest, WithoutValidatorsOnlyTheStarIsKnown) {
  EXPECT_EQ(status("If-None-Match: \"a\"\r\n"), "200");
  EXPECT_EQ(status("If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n"), "200");
  EXPECT_EQ(status("If-None-Match: *\r\n"), "304");
}

TEST_F(ConditionalAnswerTest, TakesThemFromTheFieldsInAnyCase) {
  fields_ = {{"ETag", "W/\"a\""}, {"content-type", "text/plain"}, {"x-more", "1"}};
  EXPECT_EQ(server_.get("/", "If-None-Match: \"a\"\r\n"),
            "HTTP/1.1 304 Not Modified\r\netag: W/\"a\"\r\nx-more: 1\r\n\r\n");
  EXPECT_EQ(status("If-None-Match: \"b\"\r\n"), "200");
  EXPECT_EQ(status("If-Match: \"b\"\r\n"), "412");
  fields_ = {{"Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT"}};
  EXPECT_EQ(status("If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n"), "304");
  EXPECT_EQ(status("If-Modified-Since: Tue, 14 Nov 2023 22:13:19 GMT\r\n"), "200");
  EXPECT_EQ(status("If-Unmodified-Since: Tue, 14 Nov 2023 22:13:19 GMT\r\n"), "412");
}

TEST_F(ConditionalAnswerTest, ValidatorsThatAreNoneAreIgnored) {
  fields_ = {{"etag", "a"}, {"last-modified", "today"}};
  EXPECT_EQ(status("If-None-Match: \"a\"\r\n"), "200");
  EXPECT_EQ(status("If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n"), "200");
}

TEST_F(ConditionalAnswerTest, IsForReadingAndForSuccess) {
  fields_ = {{"etag", "\"a\""}};
  const std::string match = "If-None-Match: \"a\"\r\n";
  EXPECT_EQ(status_of(server_.ask("HEAD", "/", match)), "304");
  EXPECT_EQ(status_of(server_.ask("POST", "/", match)), "200");
  for (const int other : {201, 206, 404, 500}) {
    status_ = static_cast<std::uint16_t>(other);
    EXPECT_EQ(status(match), std::to_string(other));
  }
}

TEST_F(ConditionalAnswerTest, NamesTheFieldsThatMatter) {
  for (const std::string_view name : {"range", "if-range", "if-match", "if-none-match",
                                      "if-modified-since", "if-unmodified-since"}) {
    EXPECT_TRUE(is_condition(name)) << name;
  }
  for (const std::string_view name : {"", "r", "ranges", "accept-ranges", "if", "accept"}) {
    EXPECT_FALSE(is_condition(name)) << name;
  }
}

}  // namespace
}  // namespace tercel::edge
