#include "tercel/gateway/decision_key.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::gateway {
namespace {

constexpr std::array<http::Field, 1> kAcl{{{"x-amz-acl", "private"}}};
constexpr std::array<http::Field, 1> kPublic{{{"x-amz-acl", "public-read"}}};

DecisionFacts facts() {
  return {.identity = "alice",
          .source_ip = "192.0.2.1",
          .bucket = "logs",
          .operation = "PutObject",
          .key = "2026/11/a",
          .place = "2026/11/a",
          .method = "PUT",
          .query = "x=1",
          .copy_source = "other/key",
          .presigned = false,
          .headers = kAcl};
}

std::string key_of(const DecisionFacts& facts, Scope scope) {
  std::string key;
  write_decision_key(facts, scope, key);
  return key;
}

// Each fact, and the narrowest scope that does not ask for it.
struct Change {
  const char* name;
  void (*change)(DecisionFacts&);
  Scope ignored_from;
};
constexpr Scope kNever{99};

const Change kChanges[] = {
    {"identity", [](DecisionFacts& f) { f.identity = "bob"; }, kNever},
    {"address", [](DecisionFacts& f) { f.source_ip = "192.0.2.2"; }, kNever},
    {"bucket", [](DecisionFacts& f) { f.bucket = "log"; }, kNever},
    {"copy source", [](DecisionFacts& f) { f.copy_source = ""; }, kNever},
    {"presigned", [](DecisionFacts& f) { f.presigned = true; }, kNever},
    {"operation", [](DecisionFacts& f) { f.operation = "GetObject"; }, Scope::kBucket},
    {"place", [](DecisionFacts& f) { f.key = f.place = "2026/12/a"; }, Scope::kOperation},
    {"key", [](DecisionFacts& f) { f.key = f.place = "2026/11/b"; }, Scope::kPrefix},
    {"method", [](DecisionFacts& f) { f.method = "GET"; }, Scope::kPrefix},
    {"query", [](DecisionFacts& f) { f.query = ""; }, Scope::kPrefix},
    {"header", [](DecisionFacts& f) { f.headers = kPublic; }, Scope::kPrefix},
    {"no header", [](DecisionFacts& f) { f.headers = {}; }, Scope::kPrefix},
};

TEST(DecisionKeyTest, EachScopeAsksForItsFactsAndNoOthers) {
  for (const Change& change : kChanges) {
    for (const Scope scope : {Scope::kRequest, Scope::kPrefix, Scope::kOperation, Scope::kBucket}) {
      DecisionFacts changed = facts();
      change.change(changed);
      const bool same = key_of(facts(), scope) == key_of(changed, scope);
      EXPECT_EQ(same, scope >= change.ignored_from) << change.name << ' ' << int(scope);
    }
  }
}

TEST(DecisionKeyTest, TextsDoNotRunIntoEachOther) {
  DecisionFacts one{.identity = "ab", .bucket = "c"};
  DecisionFacts other{.identity = "a", .bucket = "bc"};
  EXPECT_NE(key_of(one, Scope::kBucket), key_of(other, Scope::kBucket));
}

TEST(DecisionKeyTest, ScopesHaveKeysOfTheirOwn) {
  DecisionFacts bare{.identity = "a", .bucket = "b"};
  EXPECT_NE(key_of(bare, Scope::kOperation), key_of(bare, Scope::kPrefix));
  EXPECT_NE(key_of(bare, Scope::kOperation), key_of(bare, Scope::kBucket));
}

// What "in/a" was allowed does not hold for "in/..", of which a backend may make the bucket.
TEST(DecisionKeyTest, KeyThatIsNotPlainIsInNoFolder) {
  const DecisionFacts plain{.identity = "a", .key = "in/a", .place = "in/a"};
  for (const char* const other :
       {"in/..", "in/.", "in/..%2fb", "in/%2e%2e", "in/..\\b", "in/\\b"}) {
    const DecisionFacts facts{.identity = "a", .key = other, .place = other};
    EXPECT_NE(key_of(facts, Scope::kPrefix), key_of(plain, Scope::kPrefix)) << other;
    const DecisionFacts again{.identity = "a", .key = other, .place = other, .query = "x=1"};
    EXPECT_EQ(key_of(facts, Scope::kPrefix), key_of(again, Scope::kPrefix)) << other;
  }
  for (const char* const other : {"in/", "in/b", "in/..b", "in/.b", "in/b%20c"}) {
    const DecisionFacts facts{.identity = "a", .key = other, .place = other};
    EXPECT_EQ(key_of(facts, Scope::kPrefix), key_of(plain, Scope::kPrefix)) << other;
  }
}

// "zz" says nothing of "private", though both have the same text up to the last slash: none.
TEST(DecisionKeyTest, ListsHaveTheirWholePrefix) {
  const auto list = [](std::string_view prefix) {
    return key_of({.identity = "a", .operation = "ListObjectsV2", .place = prefix}, Scope::kPrefix);
  };
  EXPECT_NE(list("zz"), list("private"));
  EXPECT_NE(list("in/"), list("in/a"));
  EXPECT_EQ(list("in/"), list("in/"));
}

TEST(DecisionKeyTest, TellsWhoseItIs) {
  const std::string key = key_of(facts(), Scope::kRequest);
  EXPECT_TRUE(is_decision_of(key, "alice", "logs"));
  EXPECT_TRUE(is_decision_of(key, "", "logs"));
  EXPECT_TRUE(is_decision_of(key, "alice", ""));
  EXPECT_FALSE(is_decision_of(key, "bob", ""));
  EXPECT_FALSE(is_decision_of(key, "", "log"));
}

}  // namespace
}  // namespace tercel::gateway
