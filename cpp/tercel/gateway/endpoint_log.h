// Tells the operator what is wrong with an endpoint of a backend, once a minute for all threads.
//
// A client is told 503, and not where the storage is; whoever runs the gateway has to know why.
// What it is said of is in docs/guide/s3.md. Functions. Thread: any. Tested by
// tests/python/test_s3_reach.py.
#pragma once

#include <string_view>

#include "tercel/base/errors.h"
#include "tercel/gateway/endpoint.h"

namespace tercel::gateway {

enum class Asked : bool { kByClient, kByCheck };

// Whether a failure is one of the storage, and not of our own limits.
[[nodiscard]] constexpr bool is_its_own(Errc error) noexcept {
  return info(error).blame == Blame::kUpstream && error != Errc::kUpstreamBusy;
}
// A request, or a check, came to nothing. REQUIRES: is_its_own(error).
void tell_failure(const Endpoint& endpoint, Errc error, Asked asked) noexcept;
// A check was answered with a status that is_transient().
void tell_status(const Endpoint& endpoint, unsigned status) noexcept;
// The storage refused with `code` what we had signed, or the token that we had brought.
void tell_refusal(const Endpoint& endpoint, std::string_view rule, std::string_view code) noexcept;

// Such a code: of credentials, of the region that was signed for, of the time.
[[nodiscard]] bool is_of_credentials(std::string_view code) noexcept;

}  // namespace tercel::gateway
