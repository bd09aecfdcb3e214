// What clients without a signature may do with a bucket: nothing, unless its backend names it.
//
//   backend.anonymous.allow(s3::Operation::kGetObject);
//   if (auto refusal = refuse_anonymous(request, arrival, config)) return answer(*refusal);
//
// A request is anonymous when nothing in it is of a signature, not even in another case or place:
// one whose signature is malformed or wrong is refused for that, and never taken for one without.
// What it may not say is what has to be signed for elsewhere, too: the version of an object (a
// right of its own), how the answer is to look, who pays, and fields in the place of parameters.
// The policy is asked about what is let through, for an identity that is empty.
// Source: the user guide of Amazon S3, "Actions, resources, and condition keys", and its API
// reference, "GetObject" (response-* parameters). Values. Tested by anonymous_test.cc.
#pragma once

#include <bitset>
#include <cstddef>
#include <optional>

#include "tercel/http/message.h"
#include "tercel/s3/error.h"
#include "tercel/s3/operation.h"

namespace tercel::gateway {

class Arrival;
struct Config;

class AnonymousOperations {
 public:
  // Of which there is a sense without a signature: those on objects, and lists of them. What
  // changes a bucket, and forms, whose rights are in their bodies, are not among them.
  [[nodiscard]] static bool can_be(s3::Operation operation) noexcept;

  // REQUIRES: can_be(operation).
  void allow(s3::Operation operation) noexcept { allowed_.set(index(operation)); }
  [[nodiscard]] bool has(s3::Operation operation) const noexcept {
    return operation != s3::Operation::kUnknown && allowed_.test(index(operation));
  }

 private:
  static std::size_t index(s3::Operation operation) noexcept {
    return static_cast<std::size_t>(operation);
  }
  std::bitset<static_cast<std::size_t>(s3::Operation::kUnknown)> allowed_;
};

// Nothing: the policy is to be asked. REQUIRES: `arrival` was read from `request`, and its claim is
// anonymous.
[[nodiscard]] std::optional<s3::Refusal> refuse_anonymous(const http::Request& request,
                                                          const Arrival& arrival,
                                                          const Config& config) noexcept;

}  // namespace tercel::gateway
