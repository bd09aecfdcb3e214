#include "tercel/route/router.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "route/routes.h"
#include "support/allocations.h"

namespace tercel::route {
namespace {

using test::add_all;
using test::found;

Router make(std::initializer_list<std::string_view> routes, UserConverters* users = nullptr) {
  RouterBuilder builder{users};
  const Problem problem = add_all(builder, routes);
  EXPECT_FALSE(problem) << *problem;
  return std::move(builder).compile();
}

TEST(RouterTest, WithoutRoutesFindsNothing) {
  for (const Router& router : {Router{}, make({})}) {
    for (const std::string_view path : {"/", "/a", "", "*", "a"}) {
      EXPECT_EQ(found(router, "GET", path), "404") << path;
    }
  }
}

TEST(RouterTest, TellsEveryPathApart) {
  const Router router = make({"GET /", "GET /a", "GET /a/", "GET /a/b", "GET //", "GET /a//b"});
  for (const std::string path : {"/", "/a", "/a/", "/a/b", "//", "/a//b"}) {
    EXPECT_EQ(found(router, "GET", path), path);
  }
  for (const std::string_view path : {"", "*", "a", "/b", "/a/b/", "/A", "///", "/a/b/c", "/a/c"}) {
    EXPECT_EQ(found(router, "GET", path), "404") << path;
  }
}

TEST(RouterTest, CapturesFieldsInTheOrderOfThePath) {
  const Router router = make({"GET /repos/{owner}/{repo}/compare/{base}...{head}",
                              "GET /archive/{name}.{ext}", "GET /{a}:{b}...{c}:{d}"});
  EXPECT_EQ(found(router, "GET", "/repos/o/r/compare/v1...v2"),
            "/repos/{owner}/{repo}/compare/{base}...{head} owner=o repo=r base=v1 head=v2");
  EXPECT_EQ(found(router, "GET", "/archive/a.tar.gz"), "/archive/{name}.{ext} name=a.tar ext=gz");
  EXPECT_EQ(found(router, "GET", "/w:x...y:z"), "/{a}:{b}...{c}:{d} a=w b=x c=y d=z");
}

TEST(RouterTest, PrefersLiteralsThenMixedThenFieldsThenPaths) {
  // Registered in the order of precedence, and against it.
  const std::vector<std::string_view> routes{"/v1.0", "/v{x}.0", "/v{x}", "/{x}", "/{x:path}"};
  for (const bool backwards : {false, true}) {
    RouterBuilder builder;
    std::vector<std::string_view> order = routes;
    if (backwards) std::reverse(order.begin(), order.end());
    for (const auto path : order) ASSERT_FALSE(builder.add({.method = "GET", .path = path}));
    const Router router = std::move(builder).compile();
    EXPECT_EQ(found(router, "GET", "/v1.0"), "/v1.0");
    EXPECT_EQ(found(router, "GET", "/v2.0"), "/v{x}.0 x=2");
    EXPECT_EQ(found(router, "GET", "/v2.1"), "/v{x} x=2.1");
    EXPECT_EQ(found(router, "GET", "/v"), "/{x} x=v");
    EXPECT_EQ(found(router, "GET", "/v/"), "/{x:path} x=v/");
    EXPECT_EQ(found(router, "GET", "/"), "/{x:path} x=");
  }
}

TEST(RouterTest, OrdersMixedSegmentsByTheirLiterals) {
  const std::vector<std::string_view> routes{"/{a}-{b}", "/{a}.{b}", "/{a}.txt", "/x{a}"};
  std::vector<std::size_t> order{0, 1, 2, 3};
  do {
    RouterBuilder builder;
    for (const std::size_t i : order)
      ASSERT_FALSE(builder.add({.method = "GET", .path = routes[i]}));
    const Router router = std::move(builder).compile();
    EXPECT_EQ(found(router, "GET", "/x-a.txt"), "/{a}.txt a=x-a");
    EXPECT_EQ(found(router, "GET", "/x-a.b"), "/{a}-{b} a=x b=a.b");
    EXPECT_EQ(found(router, "GET", "/x.b"), "/{a}.{b} a=x b=b");
    EXPECT_EQ(found(router, "GET", "/xb"), "/x{a} a=b");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(RouterTest, TriesTheNextCandidateWhenOneLeadsNowhere) {
  const Router router = make({"GET /a/b/c", "GET /a/{x}/d", "GET /{y}/b/e", "GET /{y}/{z}.f/g",
                              "GET /{y}/{z}/h", "GET /{r:path}"});
  EXPECT_EQ(found(router, "GET", "/a/b/c"), "/a/b/c");
  EXPECT_EQ(found(router, "GET", "/a/b/d"), "/a/{x}/d x=b");
  EXPECT_EQ(found(router, "GET", "/a/b/e"), "/{y}/b/e y=a");
  EXPECT_EQ(found(router, "GET", "/a/b.f/g"), "/{y}/{z}.f/g y=a z=b");
  EXPECT_EQ(found(router, "GET", "/a/b.f/h"), "/{y}/{z}/h y=a z=b.f");
  EXPECT_EQ(found(router, "GET", "/a/b/i"), "/{r:path} r=a/b/i");
  EXPECT_EQ(found(router, "GET", "/a/b/c/"), "/{r:path} r=a/b/c/");
}

TEST(RouterTest, AConverterThatRefusesIsNoMatch) {
  const Router router = make({"GET /{n:int}/x", "GET /v{n:int(max=9)}", "GET /w{n:int}-{u}",
                              "GET /d/{d:date}", "GET /d/{r:path}"});
  EXPECT_EQ(found(router, "GET", "/12/x"), "/{n:int}/x n=12");
  EXPECT_EQ(found(router, "GET", "/a/x"), "404");
  EXPECT_EQ(found(router, "GET", "/v9"), "/v{n:int(max=9)} n=9");
  EXPECT_EQ(found(router, "GET", "/v10"), "404");
  EXPECT_EQ(found(router, "GET", "/w1-a"), "/w{n:int}-{u} n=1 u=a");
  EXPECT_EQ(found(router, "GET", "/w1-2-a"), "404");  // Cut at the right-most place only.
  EXPECT_EQ(found(router, "GET", "/d/2026-11-26"), "/d/{d:date} d=2026-11-26");
  EXPECT_EQ(found(router, "GET", "/d/2026-11-31"), "/d/{r:path} r=2026-11-31");
}

TEST(RouterTest, HandsOutWhatConvertersMade) {
  const Router router = make({"GET /{n:int}/{f:float}/{t}/{d:date}"});
  std::array<char, 64> decoded;
  Match match{decoded};
  ASSERT_EQ(router.find("GET", "/7/0.5/x/2026-11-26", match), Outcome::kFound);
  EXPECT_EQ(std::get<std::int64_t>(match.captures()[0].value), 7);
  EXPECT_EQ(std::get<double>(match.captures()[1].value), 0.5);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(match.captures()[2].value));
  EXPECT_EQ(std::get<Date>(match.captures()[3].value), (Date{2026, 11, 26}));
}

TEST(RouterTest, DecodesAfterItCut) {
  const Router router =
      make({"GET /caf\xC3\xA9/{x}", "GET /{x}.{y}", "GET /f/{r:path}", "GET /{x}"});
  EXPECT_EQ(found(router, "GET", "/caf%C3%A9/a%2Fb"), "/caf\xC3\xA9/{x} x=a/b");
  EXPECT_EQ(found(router, "GET", "/a%2Eb%2f"), "/{x}.{y} x=a y=b/");
  EXPECT_EQ(found(router, "GET", "/%66/a/b%2Fc/%"), "/f/{r:path} r=a/b/c/%");
  EXPECT_EQ(found(router, "GET", "/%7Bx%7D"), "/{x} x={x}");
  EXPECT_EQ(found(router, "GET", "/%2Fcaf"), "/{x} x=/caf");
  EXPECT_EQ(found(router, "GET", "%2F"), "404");
}

TEST(RouterTest, FieldsTakeOneByteAtLeast) {
  const Router router = make({"GET /a/{x}", "GET /b/{x}/c", "GET /c/{r:path}", "GET /c"});
  EXPECT_EQ(found(router, "GET", "/a/"), "404");
  EXPECT_EQ(found(router, "GET", "/b//c"), "404");
  EXPECT_EQ(found(router, "GET", "/c/"), "/c/{r:path} r=");
  EXPECT_EQ(found(router, "GET", "/c"), "/c");
}

TEST(RouterTest, SaysWhereTheRestBegins) {
  const Router router = make({"GET /sub/{r:path}", "GET /{x}"});
  std::array<char, 64> decoded;
  Match match{decoded};
  const std::string_view path = "/%73ub/a%2Fb/c";
  ASSERT_EQ(router.find("GET", path, match), Outcome::kFound);
  EXPECT_EQ(path.substr(match.rest_offset()), "a%2Fb/c");
  ASSERT_EQ(router.find("GET", "/abc", match), Outcome::kFound);
  EXPECT_EQ(match.rest_offset(), 4U);
}

TEST(RouterTest, MergesMethodsAndNamesThem) {
  RouterBuilder builder;
  ASSERT_FALSE(builder.add({.method = "PURGE", .path = "/a/{x}", .route = 30, .name = "purge"}));
  ASSERT_FALSE(builder.add({.method = "PUT", .path = "/a/{x}", .route = 20}));
  ASSERT_FALSE(builder.add({.method = "GET", .path = "/a/{x:str}", .route = 10}));
  const Router router = std::move(builder).compile();
  std::array<char, 64> decoded;
  Match match{decoded};
  for (const auto& [method, route] : {std::pair{"GET", 10U}, {"PUT", 20U}, {"PURGE", 30U}}) {
    ASSERT_EQ(router.find(method, "/a/1", match), Outcome::kFound);
    EXPECT_EQ(match.route(), route);
  }
  for (const std::string_view method : {"HEAD", "POST", "get", "PURG", "", "COPY"}) {
    ASSERT_EQ(router.find(method, "/a/1", match), Outcome::kMethodNotAllowed) << method;
    EXPECT_EQ(match.endpoint()->path(), "/a/{x}");
    EXPECT_EQ(match.captures()[0].text, "1");
  }
  ASSERT_EQ(router.endpoints().size(), 1U);
  const Endpoint& endpoint = router.endpoints().front();
  EXPECT_EQ(endpoint.allow(), "GET, PUT, PURGE");
  MethodSet implied;
  implied.add(Method::kHead);
  implied.add(Method::kOptions);
  EXPECT_EQ(endpoint.allow(implied), "GET, HEAD, PUT, OPTIONS, PURGE");
  EXPECT_EQ(endpoint.route(Method::kPut), RouteId{20});
  EXPECT_FALSE(endpoint.route(Method::kHead));
  EXPECT_TRUE(endpoint.methods().has(Method::kGet));
  EXPECT_EQ(endpoint.verbs().front().name, "purge");
  ASSERT_EQ(endpoint.fields().size(), 1U);
  EXPECT_EQ(endpoint.fields().front().name, "x");
}

TEST(RouterTest, ThePathAloneDecidesOnTheEndpoint) {
  const Router router = make({"POST /a/b", "GET /a/{x}"});
  EXPECT_EQ(found(router, "GET", "/a/b"), "405");
  EXPECT_EQ(found(router, "GET", "/a/c"), "/a/{x} x=c");
}

TEST(RouterTest, KnowsTheMethodsThatItHas) {
  const Router router = make({"PURGE /", "GET /a", "COPY /a"});
  for (const std::string_view method : {"GET", "DELETE", "TRACE", "PURGE", "COPY"}) {
    EXPECT_TRUE(router.knows_method(method)) << method;
  }
  for (const std::string_view method : {"", "get", "LOCK", "PURG"}) {
    EXPECT_FALSE(router.knows_method(method)) << method;
  }
}

TEST(RouterTest, APathLongerThanTheRoomIsTooLong) {
  const Router router = make({"GET /{x}"});
  std::array<char, 8> decoded;
  Match match{decoded};
  EXPECT_EQ(router.find("GET", "/2345678", match), Outcome::kFound);
  EXPECT_EQ(router.find("GET", "/23456789", match), Outcome::kTooLong);
  EXPECT_EQ(match.endpoint(), nullptr);
  EXPECT_TRUE(match.captures().empty());
}

// Refuses what it is told to, and counts.
class Picky final : public UserConverters {
 public:
  std::optional<std::uint32_t> bind(std::string_view, std::string_view, std::string&) override {
    return 5;
  }
  std::optional<UserValue> convert(std::uint32_t, std::string_view text) noexcept override {
    ++asked;
    if (text == refused) return std::nullopt;
    return UserValue{text.size()};
  }
  std::string_view refused;
  int asked = 0;
};

TEST(RouterTest, AsksTheApplicationOnceForEachField) {
  Picky users;
  users.refused = "b";
  const Router router = make({"GET /{x:own}/1", "GET /{y:own}.{z:own}/1", "GET /{r:path}"}, &users);
  EXPECT_EQ(found(router, "GET", "/a/1", &users), "/{x:own}/1 x=a");
  EXPECT_EQ(users.asked, 1);
  EXPECT_EQ(found(router, "GET", "/a/2", &users), "/{r:path} r=a/2");
  EXPECT_EQ(users.asked, 2);
  EXPECT_EQ(found(router, "GET", "/b/1", &users), "/{r:path} r=b/1");
  EXPECT_EQ(users.asked, 3);
  EXPECT_EQ(found(router, "GET", "/a.b/1", &users), "/{x:own}/1 x=a.b");
  EXPECT_EQ(users.asked, 6);
  EXPECT_EQ(found(router, "GET", "/a/1"), "/{r:path} r=a/1");
}

// Two ways at each of ten levels, and none of them ends: a lookup enters each node once, and looks
// at each byte of a mixed segment twice at most.
TEST(RouterTest, EntersEachNodeAtMostOnce) {
  constexpr int kLevels = 10;
  RouterBuilder builder;
  for (int bits = 0; bits < 1 << kLevels; ++bits) {
    std::string path;
    for (int level = 0; level < kLevels; ++level) {
      path += (bits >> level & 1) != 0 ? "/a" : "/{f" + std::to_string(level) + "}";
    }
    ASSERT_FALSE(builder.add({.method = "GET", .path = path + "/end"}));
  }
  const Router router = std::move(builder).compile();
  std::array<char, 16'384> decoded;
  Match match{decoded};
  const std::string aaa = "/a/a/a/a/a/a/a/a/a/a";
  for (const std::string& path : {aaa + "/x", aaa, aaa + aaa, aaa + aaa + aaa + aaa + aaa}) {
    EXPECT_EQ(router.find("GET", path, match), Outcome::kNotFound);
    EXPECT_LE(match.steps(), router.nodes()) << path;
    EXPECT_GE(match.steps(), 1U << kLevels) << path;
  }
  EXPECT_EQ(router.find("GET", aaa + "/end", match), Outcome::kFound);
  EXPECT_EQ(match.steps(), kLevels + 2);
}

TEST(RouterTest, IsLinearInHostilePaths) {
  const Router router = make({"GET /{a}-{b}-{c}/{d}.{e}/x", "GET /{a}aab{b}/{c}/y",
                              "GET /{f}/{g}/z", "GET /q/{h:int}/{i:float}/{j:datetime}"});
  std::array<char, 16'384> decoded;
  Match match{decoded};
  for (const std::string_view unit : {"/", "a", "-", "/-", "-/", "%", "%2F", "%2", "/a", "aa-",
                                      "/1", "/{", ".", "1", "aab", "%61a%62"}) {
    std::string path = "/";
    while (path.size() + unit.size() <= decoded.size()) path += unit;
    for (const std::string& each : {path, "/a-a-a" + path.substr(100), "/q" + path.substr(100)}) {
      EXPECT_NE(router.find("GET", each, match), Outcome::kTooLong);
      // Two mixed segments at a level, two comparisons a byte.
      EXPECT_LE(match.steps(), 4 * each.size() + router.nodes()) << unit;
    }
  }
}

TEST(RouterTest, ALookupAllocatesNothing) {
  const Router router =
      make({"GET /users/{id:int}", "GET /{f:float}/{u:uuid}/{d:date}/{t:datetime}",
            "GET /t/{t:datetime('%Y%m%d')}/{s:str(max_length=3)}", "GET /{a}.{b}/{r:path}"});
  std::array<char, 1024> decoded;
  Match match{decoded};
  const std::string long_number = "/" + std::string(800, '1') + ".5/x";
  const test::AllocationCount count;
  for (const std::string_view path :
       {std::string_view{"/users/42"}, std::string_view{"/users/x"},
        std::string_view{"/1.5/01234567-89ab-cdef-FEDC-ba9876543210/2026-11-26/"
                         "2026-11-26T01:02:03Z"},
        std::string_view{"/t/20261126/abc"}, std::string_view{"/a%2Eb/c%2Fd/e"},
        std::string_view{long_number}, std::string_view{"/nowhere"}}) {
    static_cast<void>(router.find("GET", path, match));
    static_cast<void>(router.find("PURGE", path, match));
  }
  EXPECT_EQ(count.so_far(), 0U);
}

}  // namespace
}  // namespace tercel::route
