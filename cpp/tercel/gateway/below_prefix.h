// Backends that have the client's keys behind a prefix: what is refused before, and after.
//
//   if (auto refusal = refuse_below_prefix(arrival, backend, source)) return answer(*refusal);
//   if (body_is_rewritten(operation, backend)) ...       // collected_body.h
//
// s3/key_prefix.h has the rules. Here is where they meet a request and its backend. Tested by
// departure_test.cc and tests/python/test_s3_prefix.py.
#pragma once

#include <optional>

#include "tercel/gateway/arrival.h"
#include "tercel/gateway/backend.h"
#include "tercel/s3/error.h"

namespace tercel::gateway {

// Nothing: the request is about nothing that is not below the prefixes. `source` is that of what is
// copied; null: nothing is.
[[nodiscard]] std::optional<s3::Refusal> refuse_below_prefix(const Arrival& arrival,
                                                             const Backend& backend,
                                                             const Backend* source) noexcept;

[[nodiscard]] inline bool body_is_rewritten(s3::Operation operation,
                                            const Backend& backend) noexcept {
  return operation == s3::Operation::kDeleteObjects && !backend.prefix.empty();
}

// Whether the list of keys that is asked for comes in percent-encoding.
[[nodiscard]] bool encodes_keys(const Arrival& arrival) noexcept;

}  // namespace tercel::gateway
