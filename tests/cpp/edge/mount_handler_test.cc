#include "tercel/edge/mount_handler.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "edge/file_fixture.h"
#include "tercel/http/message_copy.h"

namespace tercel::edge {
namespace {

// Answers with its name, and what it was asked for.
class Named final : public http::Handler {
 public:
  explicit Named(std::string name) : name_{std::move(name)} {}
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    seen_ = name_;
    for (const std::string_view part :
         {request.root_path, request.path, request.query, request.target}) {
      (seen_ += ' ').append(part.empty() ? "-" : part);
    }
    // Whoever keeps the request copies it.
    std::string memory(http::copy_bytes(request), '\0');
    const http::Request kept = http::copy(request, memory.data());
    EXPECT_EQ(kept.path, request.path);
    EXPECT_EQ(kept.target, request.target);
    EXPECT_EQ(kept.query, request.query);
    ASSERT_TRUE(exchange.start({}));
    ASSERT_TRUE(exchange.write(http::Payload::borrow(seen_), http::Final::kYes));
  }

 private:
  std::string name_;
  std::string seen_;
};

class MountHandlerTest : public testing::Test {
 protected:
  // "name root path query target" of who was asked for it.
  std::string ask(std::string_view target) { return test::body_of(server_.get(target)); }

  Named inner_{"inner"};
  Named old_{"old"};
  Named deep_{"deep"};
  Named whole_{"whole"};
  MountHandler mounts_{inner_,
                       {{.prefix = "/old", .handler = &old_},
                        {.prefix = "/old/deep", .handler = &deep_},
                        {.prefix = "/old/python"},
                        {.prefix = "/whole", .handler = &whole_, .taken = Mount::Prefix::kStays}}};
  test::FileServer server_{mounts_};
};

TEST_F(MountHandlerTest, ThePrefixMovesFromThePath) {
  EXPECT_EQ(ask("/old/a/b?c=d"), "old /old /a/b c=d /a/b?c=d");
  EXPECT_EQ(ask("/old/"), "old /old / - /");
  EXPECT_EQ(ask("/old"), "old /old / - -");
  EXPECT_EQ(ask("/old?c"), "old /old / c -");
  EXPECT_EQ(ask("/old//a"), "old /old //a - //a");
  EXPECT_EQ(ask("http://x/old/a?b"), "old /old /a b -");
  EXPECT_EQ(ask("/whole/a?b"), "whole - /whole/a b /whole/a?b");
}

TEST_F(MountHandlerTest, TheLongestPrefixCounts) {
  EXPECT_EQ(ask("/old/deep/a"), "deep /old/deep /a - /a");
  EXPECT_EQ(ask("/old/deeper"), "old /old /deeper - /deeper");
  EXPECT_EQ(ask("/old/python/a"), "inner - /old/python/a - /old/python/a");
}

TEST_F(MountHandlerTest, WhatIsBelowNoPrefixIsTheInnerHandlers) {
  for (const std::string path : {"/", "/older", "/OLD/a", "/old%2Fa", "/ol", "//old/a"}) {
    EXPECT_EQ(ask(path), "inner - " + path + " - " + path);
  }
}

TEST_F(MountHandlerTest, EncodedNamesAreTheSameNames) {
  EXPECT_EQ(ask("/%6fld/%61?%20"), "old /old /%61 %20 /%61?%20");
  EXPECT_EQ(ask("/%4fld/a"), "inner - /%4fld/a - /%4fld/a");
}

TEST_F(MountHandlerTest, WhatMayLeadUpwardsIsBelowNoPrefix) {
  for (const std::string rest : {"/..", "/.", "/../a", "/a/../../b", "/%2e%2E/a", "/.%2e",
                                 "/..%2Fa", "/a%2F..", "/..%5ca", "/..;x=y/a", "/.;/a"}) {
    EXPECT_EQ(ask("/old" + rest).substr(0, 6), "inner ") << rest;
    EXPECT_TRUE(has_dot_segment(rest)) << rest;
    EXPECT_FALSE(is_below("/old" + rest, "/old")) << rest;
  }
  EXPECT_TRUE(has_dot_segment("/..\\a"));  // No URL has it, but what came may be decoded by now.
  for (const std::string rest :
       {"/...", "/.a", "/a.", "/a..b/c", "/..a", "/a;..;b", "/", "", "/%252e%252e/a"}) {
    EXPECT_EQ(ask("/old" + rest).substr(0, 4), "old ") << rest;
    EXPECT_FALSE(has_dot_segment(rest)) << rest;
    EXPECT_TRUE(is_below("/old" + rest, "/old")) << rest;
  }
}

TEST_F(MountHandlerTest, EverythingMayBeBelow) {
  MountHandler all{inner_, {{.prefix = "", .handler = &old_}, {.prefix = "/python"}}};
  test::FileServer server{all};
  EXPECT_EQ(test::body_of(server.get("/a?b")), "old - /a b /a?b");
  EXPECT_EQ(test::body_of(server.get("/python/a")), "inner - /python/a - /python/a");
}

// A proxy took off a prefix before us.
TEST_F(MountHandlerTest, PrefixesAreJoined) {
  class Before final : public http::Handler {
   public:
    explicit Before(http::Handler& inner) noexcept : inner_{inner} {}
    void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
      http::Request below = request;
      below.root_path = "/proxy";
      inner_.handle(below, exchange);
    }

   private:
    http::Handler& inner_;
  } before{mounts_};
  test::FileServer server{before};
  EXPECT_EQ(test::body_of(server.get("/old/a")), "old /proxy/old /a - /a");
  EXPECT_EQ(test::body_of(server.get("/whole/a")), "whole /proxy /whole/a - /whole/a");
}

}  // namespace
}  // namespace tercel::edge
