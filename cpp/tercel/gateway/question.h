// What an operator's policy is asked about a request, and what it answers.
//
// Four questions: what is the secret of an access key; may this identity do this; which backend has
// the bucket; with which credentials does it go there. A fifth is about a budget that other
// processes share (edge/budget_shares.h): how many requests may pass. They are asked once for many
// requests (answer_cache.h), by a loop that goes on meanwhile. Whoever answers does so from any
// thread, later, with one of these values. Source: docs/guide/s3.md. Tested by
// tests/python/test_s3_gateway.py.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tercel/base/shared_const.h"
#include "tercel/edge/budget_rules.h"
#include "tercel/gateway/backend.h"
#include "tercel/gateway/credentials.h"
#include "tercel/gateway/secret_text.h"

namespace tercel::gateway {

// The secret of an access key of this gateway's clients.
struct FrontKey {
  Verdict verdict = Verdict::kFailed;
  SecretText secret = {};
  SecretText session_token = {};  // Not empty: the client has to send it.
  std::string identity = {};      // For whom the other questions are asked.
  std::uint64_t version = 0;      // Differs whenever the secret may differ.
};

[[nodiscard]] inline std::size_t held_bytes(const FrontKey& key) noexcept {
  return key.secret.view().size() + key.session_token.view().size() + key.identity.size();
}

// For which other requests of the same identity, from the same address, a decision holds.
enum class Scope : std::uint8_t {
  kRequest,    // Of the same operation on the same bucket and key, with the same query and headers.
  kPrefix,     // Of the same operation on keys of the bucket with the same text up to the last '/'.
  kOperation,  // Of the same operation on the bucket.
  kBucket      // Of any operation on the bucket.
};

struct Decision {
  Verdict verdict = Verdict::kFailed;
  Scope scope = Scope::kRequest;
  std::string reason = {};  // For the audit log.
};

[[nodiscard]] inline std::size_t held_bytes(const Decision& decision) noexcept {
  return decision.reason.size();
}

// The backend of a bucket that no configuration names.
struct ResolvedBucket {
  Verdict verdict = Verdict::kFailed;
  SharedConst<Backend> backend = {};  // Of kYes.
};

[[nodiscard]] inline std::size_t held_bytes(const ResolvedBucket& bucket) noexcept {
  return bucket.backend ? held_bytes(*bucket.backend) : 0;
}

// What was granted of a budget is in the shares of the gateway by the time that this comes.
struct Granted {
  Verdict verdict = Verdict::kYes;
};

[[nodiscard]] inline std::size_t held_bytes(const Granted& /*granted*/) noexcept {
  return 0;
}

// Whose answer is asked for; what is not asked for stays empty.
struct Question {
  enum class Kind : std::uint8_t { kKey, kDecision, kCredentials, kBucket, kBudget };

  Kind kind = Kind::kKey;
  std::string access_key;
  std::string identity;
  std::string rule;    // Of the backend whose own credentials are asked for; empty: of none.
  std::string bucket;  // As the client names it.
  std::string key;     // Decoded.
  std::string place;   // As DecisionFacts.
  std::string operation;
  std::string method;
  std::string query;  // As the client sent it, without what signs it.
  std::string source_ip;
  std::string copy_source;  // "bucket/key", decoded; empty: nothing is copied.
  bool presigned = false;
  std::vector<std::pair<std::string, std::string>>
      headers;         // `x-amz-*`, of the query too; but what signs.
  std::string budget;  // As Limits::describe().
  std::uint64_t budget_key = 0;
  edge::BudgetRules rules;
};

struct Answer {
  // Of the question's kind.
  std::variant<std::monostate, FrontKey, Decision, Credentials, ResolvedBucket> value;
  std::chrono::nanoseconds fresh{0};  // From now on.
  std::chrono::nanoseconds holds{0};
  bool shared = false;  // Another gateway was asked, and this one read it.
};

}  // namespace tercel::gateway
