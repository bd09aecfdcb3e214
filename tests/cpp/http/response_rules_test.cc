#include "tercel/http/response_rules.h"

#include <array>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

constexpr std::array<Field, 1> kLengthThree{{{"content-length", "3"}}};

ResponseRules rules_for(std::string_view method, Version version = Version::kHttp11,
                        bool accepts_trailers = false) {
  Request request;
  request.method = method;
  request.version = version;
  request.accepts_trailers = accepts_trailers;
  return ResponseRules{request};
}

TEST(ResponseRulesTest, NothingIsWrittenBeforeTheStartAndItStartsOnce) {
  ResponseRules rules = rules_for("GET");
  EXPECT_EQ(rules.write(1, Final::kYes).error(), Errc::kIllegalStep);
  EXPECT_EQ(rules.finish().error(), Errc::kIllegalStep);
  ASSERT_TRUE(rules.start({}));
  EXPECT_EQ(rules.start({}).error(), Errc::kIllegalStep);
}

TEST(ResponseRulesTest, TrailersNeedTheFramingOfHttp1AndNoneOfHttp2) {
  for (const Version version : {Version::kHttp11, Version::kHttp2}) {
    ResponseRules rules = rules_for("GET", version, /*accepts_trailers=*/true);
    ASSERT_TRUE(rules.start({.status = 200, .fields = kLengthThree, .trailers = true}));
    EXPECT_FALSE(rules.release_head(/*last=*/false));
    EXPECT_EQ(rules.carries_trailers(), version == Version::kHttp2);
    ResponseRules head = rules_for("HEAD", version, /*accepts_trailers=*/true);
    ASSERT_TRUE(head.start({.status = 200, .fields = {}, .trailers = true}));
    EXPECT_FALSE(head.carries_trailers());
  }
}

TEST(ResponseRulesTest, ARefusedHeadLeavesEverythingOpen) {
  constexpr std::array<Field, 1> bad{{{"a b", ""}}};
  ResponseRules rules = rules_for("GET");
  EXPECT_FALSE(rules.start({.status = 200, .fields = bad}));
  EXPECT_FALSE(rules.started());
  EXPECT_TRUE(rules.start({}));
}

TEST(ResponseRulesTest, ATunnelIsForRequestsThatAskedAndHasNoLength) {
  Request request;
  request.method = "GET";
  EXPECT_EQ(ResponseRules{request}.start({.status = 101, .fields = {}}).error(),
            Errc::kBadResponseStatus);
  request.protocol = "websocket";
  ResponseRules rules{request};
  EXPECT_EQ(rules.start({.status = 100, .fields = {}}).error(), Errc::kBadResponseStatus);
  ASSERT_TRUE(rules.start({.status = 101, .fields = kLengthThree}));
  EXPECT_TRUE(rules.is_tunnel());
  EXPECT_FALSE(rules.release_head(/*last=*/false));
  const Result<BodyPlan> plan = rules.write(1'000, Final::kYes);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->bytes, 1'000U);
  EXPECT_FALSE(plan->error);
  EXPECT_TRUE(plan->last);
}

TEST(ResponseRulesTest, ADeclaredLengthIsTheLaw) {
  // parts -> bytes that may be sent, and what the last caller is told
  struct Case {
    std::uint64_t first, second;
    std::uint64_t sent;
    std::optional<Errc> error;
  };
  for (const Case& each :
       {Case{1, 2, 2, std::nullopt}, Case{3, 0, 0, std::nullopt},
        Case{1, 3, 2, Errc::kResponseTooLong}, Case{1, UINT64_MAX, 2, Errc::kResponseTooLong},
        Case{1, 1, 1, Errc::kResponseTooShort}, Case{0, 0, 0, Errc::kResponseTooShort}}) {
    ResponseRules rules = rules_for("GET");
    ASSERT_TRUE(rules.start({.status = 200, .fields = kLengthThree}));
    ASSERT_TRUE(rules.write(each.first, Final::kNo));
    Result<BodyPlan> plan = rules.write(each.second, Final::kYes);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->bytes, each.sent);
    EXPECT_EQ(plan->error, each.error);
    EXPECT_EQ(plan->last, each.error != Errc::kResponseTooShort);
    EXPECT_EQ(rules.body_bytes(), each.first + each.sent);
  }
}

TEST(ResponseRulesTest, HeadAndBodilessStatusesSendNothingAndAreNeverTooShort) {
  for (const auto& [method, status] : {std::pair{"HEAD", 200}, std::pair{"GET", 204},
                                       std::pair{"GET", 205}, std::pair{"GET", 304}}) {
    ResponseRules rules = rules_for(method);
    ASSERT_TRUE(
        rules.start({.status = static_cast<std::uint16_t>(status), .fields = kLengthThree}));
    Result<BodyPlan> plan = rules.write(10, Final::kYes);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->bytes, 0U);
    EXPECT_FALSE(plan->error);
    EXPECT_EQ(rules.release_head(true), status == 205);  // Which declares that there is nothing.
    EXPECT_EQ(rules.ending(), Ending::kNoBody);
  }
}

TEST(ResponseRulesTest, TheEndingFollowsFromVersionLengthAndTrailers) {
  struct Case {
    Version version;
    bool declared, last, promised, accepted;
    Ending ending;
    bool declares;
  };
  for (const Case& each :
       {Case{Version::kHttp11, true, false, false, false, Ending::kLength, false},
        Case{Version::kHttp11, false, true, false, false, Ending::kLength, true},
        Case{Version::kHttp11, false, false, false, false, Ending::kChunked, false},
        Case{Version::kHttp11, false, true, true, true, Ending::kChunked, false},
        Case{Version::kHttp11, false, true, true, false, Ending::kLength, true},
        Case{Version::kHttp10, false, true, false, false, Ending::kLength, true},
        Case{Version::kHttp10, false, false, false, false, Ending::kClose, false},
        Case{Version::kHttp10, false, true, true, true, Ending::kLength, true}}) {
    ResponseRules rules = rules_for("GET", each.version, each.accepted);
    Response response;
    if (each.declared) response.fields = kLengthThree;
    response.trailers = each.promised;
    ASSERT_TRUE(rules.start(response));
    EXPECT_EQ(rules.release_head(each.last), each.declares);
    EXPECT_EQ(rules.ending(), each.ending);
  }
}

TEST(ResponseRulesTest, InterimResponsesEndWithTheHead) {
  ResponseRules rules = rules_for("GET");
  EXPECT_TRUE(rules.interim({.status = 103, .fields = {}}));
  EXPECT_FALSE(rules.interim({.status = 101, .fields = {}}));
  ASSERT_TRUE(rules.start({}));
  EXPECT_TRUE(rules.interim({.status = 103, .fields = {}}));
  (void)rules.release_head(false);
  EXPECT_EQ(rules.interim({.status = 103, .fields = {}}).error(), Errc::kIllegalStep);
}

}  // namespace
}  // namespace tercel::http
