// Under which key a decision is kept: all that must be the same for it to hold.
//
// What a policy can see of a request is in the key of Scope::kRequest, so a decision never holds
// for a request that it might have refused; the wider scopes leave out what the operator says may
// differ. For Scope::kPrefix that is what stands behind the last '/' of a key, unless a backend
// could take it for another place (s3/key_prefix.h, is_plain_key()): such a key is there whole, and
// so is the prefix of a list, whose end says what it shows.
// Identity, address, the way of signing and the source of a copy are in all of them. A value of
// views. Tested by decision_key_test.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tercel/gateway/question.h"
#include "tercel/http/message.h"

namespace tercel::gateway {

struct DecisionFacts {
  std::string_view identity = {};
  std::string_view source_ip = {};
  std::string_view bucket = {};
  std::string_view operation = {};
  std::string_view key = {};    // Decoded.
  std::string_view place = {};  // What Scope::kPrefix is about: the key, or the prefix of a list.
  std::string_view method = {};
  std::string_view query = {};  // Without what signs.
  std::string_view copy_source = {};
  bool presigned = false;
  std::span<const http::Field> headers = {};  // Those that a policy sees.
};

// Writes the key to `into`, whose room is used again. No two different sets of facts of a scope
// have the same key.
void write_decision_key(const DecisionFacts& facts, Scope scope, std::string& into);

// The same of a question about a decision. Throws std::bad_alloc.
void write_decision_key(const Question& question, Scope scope, std::string& into);

// Whether a key is of an identity and of a bucket; of those that are empty, of any.
[[nodiscard]] bool is_decision_of(std::string_view key, std::string_view identity,
                                  std::string_view bucket) noexcept;

}  // namespace tercel::gateway
