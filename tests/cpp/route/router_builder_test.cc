#include "tercel/route/router_builder.h"

#include <string>

#include <gtest/gtest.h>

#include "route/routes.h"

namespace tercel::route {
namespace {

using test::add_all;
using test::found;

std::string problem_of(std::initializer_list<std::string_view> routes) {
  RouterBuilder builder;
  return add_all(builder, routes).value_or("");
}

TEST(RouterBuilderTest, RefusesTwoDifferentFieldsAtOnePlace) {
  EXPECT_EQ(problem_of({"GET /users/{id}", "GET /users/{name}/files"}),
            "\"/users/{name}/files\" conflicts with \"/users/{id}\": {name} and {id} take the same "
            "place with different names.");
  EXPECT_EQ(problem_of({"GET /users/{id}", "PUT /users/{id:int}"}),
            "\"/users/{id:int}\" conflicts with \"/users/{id}\": {id} has another converter in "
            "each.");
  EXPECT_EQ(problem_of({"GET /{n:int(min=1)}", "PUT /{n:int(min=2)}"}),
            "\"/{n:int(min=2)}\" conflicts with \"/{n:int(min=1)}\": {n} has another converter in "
            "each.");
}

TEST(RouterBuilderTest, RefusesMixedSegmentsThatDifferInNothingElse) {
  EXPECT_EQ(
      problem_of({"GET /{a}.{b}", "GET /{a}.{c}"}),
      "\"/{a}.{c}\" conflicts with \"/{a}.{b}\": {a}.{c} and {a}.{b} take the same place with "
      "different names.");
  EXPECT_EQ(problem_of({"GET /{a}.{b}", "GET /{a:int}.{b}"}),
            "\"/{a:int}.{b}\" conflicts with \"/{a}.{b}\": {a}.{b} has another converter in each.");
  EXPECT_EQ(problem_of({"GET /{a}.{b}", "GET /{a}-{b}", "GET /{a}.x", "GET /{b}.{a}x"}), "");
}

TEST(RouterBuilderTest, RefusesTwoPathFieldsAtOnePlace) {
  EXPECT_EQ(problem_of({"GET /{a:path}", "PUT /{b:path}"}),
            "\"/{b:path}\" conflicts with \"/{a:path}\": {b} and {a} take the same place with "
            "different names.");
  EXPECT_EQ(problem_of({"GET /{a:path}", "PUT /{a:path}", "GET /{b}", "GET /x/{c:path}"}), "");
}

TEST(RouterBuilderTest, RefusesAMethodTwice) {
  RouterBuilder builder;
  EXPECT_FALSE(builder.add({.method = "GET", .path = "/a/{x}", .route = 1, .name = "first"}));
  EXPECT_EQ(
      builder.add({.method = "GET", .path = "/a/{x:str}", .route = 2, .name = "second"}),
      "GET \"/a/{x:str}\" is there already, as GET \"/a/{x}\" of first; second comes second.");
  EXPECT_FALSE(builder.add({.method = "PURGE", .path = "/a/{x}"}));
  EXPECT_EQ(builder.add({.method = "PURGE", .path = "/a/{x}"}),
            "PURGE \"/a/{x}\" is there already, as PURGE \"/a/{x}\".");
}

TEST(RouterBuilderTest, RefusesMethodsThatNoRequestHas) {
  for (const std::string_view method : {"", "get", "GET ", "G\xC3\x89T", "GET/"}) {
    RouterBuilder builder;
    EXPECT_EQ(builder.add({.method = method, .path = "/"}),
              "\"/\": a method is made of upper-case letters, digits, '-' and '_'.");
  }
  RouterBuilder builder;
  EXPECT_FALSE(builder.add({.method = "VERSION-CONTROL", .path = "/"}));
  EXPECT_FALSE(builder.add({.method = std::string(kMethodBytesMax, 'A'), .path = "/"}));
  EXPECT_TRUE(builder.add({.method = std::string(kMethodBytesMax + 1, 'A'), .path = "/"}));
}

// Nothing of a refused template is left: neither a way to it nor a place that it takes.
TEST(RouterBuilderTest, IsUnchangedByAProblem) {
  RouterBuilder builder;
  ASSERT_FALSE(add_all(builder, {"GET /a/{x}", "GET /a/{x}/{p}.{q}"}));
  const std::size_t nodes = RouterBuilder{builder}.compile().nodes();
  for (const std::string_view path :
       {"/a/{y}/b/c", "/a/{x}/{p}.{z}/d", "/a/b/{", "/new/{z:no}", "/a/{x:int}", "/a/{x}"}) {
    EXPECT_TRUE(builder.add({.method = "GET", .path = path})) << path;
  }
  EXPECT_EQ(RouterBuilder{builder}.compile().nodes(), nodes);
  const Router router = std::move(builder).compile();
  EXPECT_EQ(router.endpoints().size(), 2U);
  EXPECT_EQ(found(router, "GET", "/a/1"), "/a/{x} x=1");
}

TEST(RouterBuilderTest, HasLimits) {
  RouterBuilder mixed;
  for (std::size_t i = 0; i < kMixedSiblingsMax; ++i) {
    ASSERT_FALSE(mixed.add({.method = "GET", .path = "/{x}." + std::to_string(i)}));
  }
  EXPECT_EQ(mixed.add({.method = "GET", .path = "/{x}.y"}),
            "\"/{x}.y\": there are 256 templates already with fields and literals mixed where it "
            "has \"{x}.y\".");
  RouterBuilder verbs;
  for (std::size_t i = 0; i < kVerbsMax; ++i) {
    ASSERT_FALSE(verbs.add({.method = "M" + std::to_string(i), .path = "/"}));
  }
  EXPECT_EQ(verbs.add({.method = "GET", .path = "/"}), "\"/\" has 64 methods already.");
  RouterBuilder routes;
  for (std::size_t i = 0; i < kRoutesMax; ++i) {
    ASSERT_FALSE(routes.add({.method = "GET", .path = "/" + std::to_string(i)}));
  }
  EXPECT_EQ(routes.add({.method = "GET", .path = "/x"}), "\"/x\": there are 65536 routes already.");
}

}  // namespace
}  // namespace tercel::route
