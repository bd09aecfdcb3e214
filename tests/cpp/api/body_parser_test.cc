#include "tercel/api/body_parser.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::api {
namespace {

constexpr BodyPlan kPlan{.kind = BodyKind::kJson};

// text/list: items with commas between them. `!` is malformed, `?` a fault of the reader's.
class Lists final : public MediaReaders {
 public:
  std::optional<std::uint32_t> find(const http::MediaType& type) const noexcept override {
    return type.is("text", "list") ? std::optional<std::uint32_t>{7} : std::nullopt;
  }
  Outcome read(std::uint32_t reader, std::string_view body, std::string& into) override {
    EXPECT_EQ(reader, 7U);
    EXPECT_EQ(into, "");
    if (body == "?") return Outcome::kFailed;
    if (body == "!") {
      into = "That is no list.";
      return Outcome::kMalformed;
    }
    into.append("[").append(body).append("]");
    return Outcome::kRead;
  }
  std::string_view names() const noexcept override { return "text/list"; }
};

class BodyParserTest : public testing::Test {
 protected:
  // A request with a body of that type; empty: it says none.
  http::Request typed(std::string_view type) {
    fields_[0] = {"content-type", type};
    http::Request request;
    if (!type.empty()) request.fields = fields_;
    return request;
  }
  bool takes(std::string_view type, const BodyPlan& plan = kPlan) {
    return parser_.takes(plan, typed(type));
  }
  Result<json::Value> parse(std::string_view type, std::string_view body,
                            const BodyPlan& plan = kPlan) {
    return parser_.parse(plan, typed(type), body);
  }

  std::array<http::Field, 1> fields_;
  Lists lists_;
  BodyParser parser_;
};

TEST_F(BodyParserTest, TakesJsonAndWhatItIsToldToTake) {
  EXPECT_TRUE(takes(""));
  EXPECT_TRUE(takes("application/vnd.a+json; charset=utf-8"));
  EXPECT_FALSE(takes("application/json; charset=latin1"));
  EXPECT_FALSE(takes("application/msgpack"));
  EXPECT_FALSE(takes("text/list"));
  EXPECT_FALSE(takes("text"));
  EXPECT_TRUE(takes("application/msgpack", {.kind = BodyKind::kJson, .msgpack = true}));
  parser_.set_readers(&lists_);
  EXPECT_TRUE(takes("Text/LIST; charset=utf-8"));
  EXPECT_FALSE(takes("text/list; charset=utf-16"));
  EXPECT_FALSE(takes("text/lists"));
  EXPECT_TRUE(takes("application/json"));
}

TEST_F(BodyParserTest, SaysWhatItTakes) {
  const BodyPlan packed{.kind = BodyKind::kJson, .msgpack = true};
  EXPECT_EQ(parser_.expected(kPlan),
            "The body must be JSON in UTF-8, and its Content-Type must say so.");
  EXPECT_EQ(parser_.expected(packed),
            "The body must be JSON in UTF-8 or MessagePack, and its Content-Type must say which.");
  parser_.set_readers(&lists_);
  EXPECT_EQ(parser_.expected(packed),
            "The body must be JSON in UTF-8 or MessagePack or text/list, and its Content-Type must "
            "say which.");
}

TEST_F(BodyParserTest, AReaderOfTheApplicationsMakesTheSameDocument) {
  parser_.set_readers(&lists_);
  const auto list = parse("text/list", R"(1,"a",{"b":2})");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->size(), 3U);
  EXPECT_FALSE(parser_.is_text());
  ASSERT_TRUE(parse("application/json", "[1,2]"));
  EXPECT_TRUE(parser_.is_text());
}

TEST_F(BodyParserTest, SaysWhatIsWrong) {
  parser_.set_readers(&lists_);
  EXPECT_EQ(parse("text/list", "!").error(), Errc::kBadJson);
  EXPECT_EQ(parser_.complaint("!"), "That is no list.");
  EXPECT_EQ(parse("text/list", "?").error(), Errc::kHandlerFailed);
  // Its options are those of all bodies.
  const BodyPlan unique{.kind = BodyKind::kJson, .unique_keys = true};
  EXPECT_TRUE(parse("text/list", R"({"a":1,"a":2})"));
  EXPECT_EQ(parse("text/list", R"({"a":1,"a":2})", unique).error(), Errc::kBadJson);
  EXPECT_EQ(parser_.complaint("").substr(0, 33), "The body says what JSON could not");
  EXPECT_EQ(parse("", "[\n1,]").error(), Errc::kBadJson);
  EXPECT_NE(parser_.complaint("[\n1,]").find("in line 2, column 3."), std::string::npos);
}

}  // namespace
}  // namespace tercel::api
