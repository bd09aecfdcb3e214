// A backend that says that a bucket is elsewhere: whether the gateway goes there, and how.
//
//   if (auto elsewhere = redirect_of(head, backend, bucket)) ...   // Sign for it, and ask again.
//
// 307 TemporaryRedirect says it for a bucket that is new or moves, 301 PermanentRedirect for a
// region that the endpoint is not of. What is sent there is signed with the backend's credentials,
// or has its token, so it goes to hosts that are the backend's and to no other, whatever it says:
//   - of the same scheme and port;
//   - the endpoint's host itself, the bucket before it or not;
//   - of an endpoint of Amazon S3, another of its endpoints (s3.REGION, s3-REGION,
//     s3.dualstack.REGION) below the same domain, which 301 may name by x-amz-bucket-region alone;
//   - a host that is below Backend::redirects, or is it, where the operator has named such a
//   domain.
// Path and query of what it says are not looked at: they are those of the request. It is gone once,
// and only while no byte of the request's body has been taken (proxy::Relay); what was said is
// known for the requests to come (known_redirects.h). A value. Throws std::bad_alloc. Source: the
// user guide of Amazon S3, "Request redirection and the REST API". Tested by redirect_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tercel/gateway/backend.h"
#include "tercel/http/h1_response.h"

namespace tercel::gateway {

// The status says that something is elsewhere. It is no answer for a client: who is elsewhere, and
// that there is anybody, it must not know.
[[nodiscard]] constexpr bool is_redirect(std::uint16_t status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The backend to ask instead of the first endpoint of this one, which has no others. `bucket`: its
// name there. Nothing: the gateway does not go there.
[[nodiscard]] std::optional<Backend> redirect_of(const http::ResponseHead& head,
                                                 const Backend& backend, std::string_view bucket);

}  // namespace tercel::gateway
