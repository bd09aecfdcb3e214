#include "tercel/api/request_plan.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/route/router_builder.h"

namespace tercel::api {
namespace {

// A route with one plan, and what a request makes of it.
class RequestPlanTest : public testing::Test {
 protected:
  void plan(std::string_view path, std::vector<Parameter> parameters) {
    route::RouterBuilder builder;
    ASSERT_EQ(builder.add({.method = "GET", .path = path}), std::nullopt);
    router_ = std::move(builder).compile();
    plan_.emplace(std::move(parameters), router_.endpoints()[0].fields());
  }

  // The values as "name=text", or the failures.
  struct Asked {
    std::string_view path = "/";
    std::string_view query = {};
    std::span<const http::Field> fields = {};
  };
  std::string collect(const Asked& asked) {
    http::Request request;
    request.method = "GET";
    request.path = asked.path;
    request.query = asked.query;
    request.fields = asked.fields;
    if (router_.find("GET", request.path, match_) != route::Outcome::kFound) return "no route";
    failures_.clear();
    const auto collected = plan_->collect(request, match_, arguments_, failures_);
    if (!collected) return std::string{info(collected.error()).name};
    if (!failures_.empty()) return std::string{failures_.json()};
    std::string all;
    for (std::size_t i = 0; i < plan_->parameters().size(); ++i) {
      if (!arguments_.has(i)) continue;
      all += all.empty() ? "" : " ";
      all += plan_->parameters()[i].name + "=" + text_of(arguments_.value(i));
    }
    return all;
  }
  std::string query(std::string_view query) { return collect({.query = query}); }

  static std::string text_of(json::Value value) {
    switch (value.kind()) {
      case json::Kind::kTrue:
        return "true";
      case json::Kind::kFalse:
        return "false";
      case json::Kind::kInteger:
        return std::to_string(value.int64());
      case json::Kind::kString:
        return std::string{value.string()};
      case json::Kind::kDecimal:
        return std::string{value.number_text()};
      case json::Kind::kArray: {
        std::string all = "[";
        for (const json::Value element : value.elements()) {
          if (all.size() > 1) all += ",";
          all += text_of(element);
        }
        return all + "]";
      }
      default:
        return "?";
    }
  }

  route::Router router_;
  std::optional<RequestPlan> plan_;
  std::array<char, 256> decoded_;
  route::Match match_{decoded_};
  BlockPool blocks_;
  Arguments arguments_;
  Failures failures_{blocks_};
};

TEST_F(RequestPlanTest, TakesEachParameterFromItsPlace) {
  plan("/{id}/{name}", {{.name = "id", .in = In::kPath, .type = Type::kInteger},
                        {.name = "x-token", .in = In::kHeader},
                        {.name = "name", .in = In::kPath},
                        {.name = "limit", .in = In::kQuery, .type = Type::kInteger},
                        {.name = "session", .in = In::kCookie}});
  const std::array<http::Field, 3> fields{
      {{"host", "a"}, {"x-token", "s3cret"}, {"cookie", "a=b; session=xyz"}}};
  EXPECT_EQ(collect({.path = "/7/Z%C3%BCrich", .query = "q=1&limit=20", .fields = fields}),
            "id=7 x-token=s3cret name=Z\xc3\xbcrich limit=20 session=xyz");
}

TEST_F(RequestPlanTest, OptionalOnesMayBeAbsent) {
  plan("/", {{.name = "limit", .type = Type::kInteger, .required = false},
             {.name = "tags", .required = false, .array = true},
             {.name = "q", .required = false}});
  EXPECT_EQ(query(""), "");
  EXPECT_EQ(query("limit=5"), "limit=5");
  EXPECT_EQ(query("q"), "q=");
  EXPECT_EQ(query("q="), "q=");
}

TEST_F(RequestPlanTest, TellsAllThatIsWrongAtOnce) {
  plan("/{id}", {{.name = "id", .in = In::kPath, .type = Type::kInteger},
                 {.name = "limit", .type = Type::kInteger},
                 {.name = "x-token", .in = In::kHeader},
                 {.name = "on", .type = Type::kBoolean}});
  EXPECT_EQ(collect({.path = "/x%22", .query = "on=perhaps"}),
            R"([{"type":"int_parsing","msg":"This must be an integer in decimal digits.",)"
            R"("loc":["path","id"],"input":"x\""},)"
            R"({"type":"missing","msg":"This value is required.","loc":["query","limit"]},)"
            R"({"type":"missing","msg":"This value is required.","loc":["header","x-token"]},)"
            R"({"type":"bool_parsing",)"
            R"("msg":"This must be true, false, yes, no, on, off, 1 or 0.",)"
            R"("loc":["query","on"],"input":"perhaps"}])");
}

TEST_F(RequestPlanTest, LeavesOutInputThatIsLongOrNoText) {
  plan("/", {{.name = "q", .type = Type::kInteger}});
  const std::string long_text(kInputBytesMax + 1, 'x');
  const std::string expected =
      R"([{"type":"int_parsing","msg":"This must be an integer in decimal digits.",)"
      R"("loc":["query","q"]}])";
  EXPECT_EQ(query("q=" + long_text), expected);
  EXPECT_EQ(query("q=%FF"), expected);
}

TEST_F(RequestPlanTest, CollectsArraysFromRepeatedAndSeparatedTexts) {
  plan("/", {{.name = "n", .type = Type::kNumber, .array = true},
             {.name = "tags", .required = false, .array = true, .separator = ','}});
  EXPECT_EQ(query("n=1&tags=a,b,,c&n=2.50&n=3&tags=d"), "n=[1,2.50,3] tags=[a,b,,c,d]");
  EXPECT_EQ(query("tags=a"),
            R"([{"type":"missing","msg":"This value is required.","loc":["query","n"]}])");
  EXPECT_EQ(query("n=1&n=x"), R"([{"type":"float_parsing","msg":"This must be a number.",)"
                              R"("loc":["query","n"],"input":"x"}])");
}

// What a client makes of an array without elements: "".join(",").
TEST_F(RequestPlanTest, TakesAnEmptyTextForNoElementsWhereTheyAreSeparated) {
  plan("/", {{.name = "n", .type = Type::kInteger, .array = true, .separator = ','},
             {.name = "each", .required = false, .array = true}});
  EXPECT_EQ(query("n="), "n=[]");
  EXPECT_EQ(query("n"), "n=[]");
  EXPECT_EQ(query("n=&n=1,2&n="), "n=[1,2]");
  EXPECT_EQ(query("n=1&each=a&each="), "n=[1] each=[a,]");
  EXPECT_EQ(query("n=1&each"), "n=[1] each=[]");
  EXPECT_EQ(query("each=a"),
            R"([{"type":"missing","msg":"This value is required.","loc":["query","n"]}])");
  EXPECT_EQ(query("n=x"),
            R"([{"type":"int_parsing","msg":"This must be an integer in decimal digits.",)"
            R"("loc":["query","n"],"input":"x"}])");
}

TEST_F(RequestPlanTest, TakesTheLastOfAQueryAndTheFirstOfTheOthers) {
  plan("/", {{.name = "a"},
             {.name = "x-a", .in = In::kHeader, .required = false},
             {.name = "c", .in = In::kCookie, .required = false}});
  const std::array<http::Field, 3> fields{{{"x-a", "1"}, {"x-a", "2"}, {"cookie", "c=1; c=2"}}};
  EXPECT_EQ(collect({.query = "a=1&a=2", .fields = fields}), "a=2 x-a=1 c=1");
}

TEST_F(RequestPlanTest, RefusesWhatNoRequestNeeds) {
  plan("/", {{.name = "a"}, {.name = "c", .in = In::kCookie, .required = false}});
  std::string pairs = "a=1";
  for (int i = 0; i < 1000; ++i) pairs += "&b=1";
  EXPECT_EQ(query(pairs), "TooManyPairs");
  std::string cookies;
  for (int i = 0; i < 1000; ++i) cookies += "b=1;";
  const std::array<http::Field, 1> fields{{{"cookie", cookies}}};
  EXPECT_EQ(collect({.query = "a=1", .fields = fields}), "TooManyCookies");
}

TEST_F(RequestPlanTest, ListsSoManyFailuresAtMost) {
  std::vector<Parameter> parameters;
  for (std::size_t i = 0; i < 2 * kFailuresMax; ++i) {
    parameters.push_back({.name = "p" + std::to_string(i)});
  }
  plan("/", std::move(parameters));
  query("");
  EXPECT_EQ(failures_.count(), kFailuresMax);
}

TEST_F(RequestPlanTest, UsesItsMemoryAgain) {
  plan("/",
       {{.name = "n", .type = Type::kNumber, .array = true}, {.name = "a", .required = false}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(query("n=1.5&n=2.5&a=x"), "n=[1.5,2.5] a=x");
    EXPECT_EQ(query("n=3"), "n=[3]");
  }
}

}  // namespace
}  // namespace tercel::api
