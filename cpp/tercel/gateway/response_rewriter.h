// What becomes of a backend's answer on its way to the client.
//
//   ResponseRewriter response;                                   // Of one request.
//   filters.response = &response.begin(station.arrival, collects);
//   ...
//   if (const auto done = response.rewrite(head, client, station, draft); !done) return done;
//
// A client sees one server, and its own names: of buckets, keys, places. What is an object goes on
// as it is. A document is written anew (s3/rewrite.h); one that cannot be, and might tell what is
// not for clients, ends the request. An error is S3's own or is replaced (own_text.h). Fields that
// say where the backend is, or what is not true any more, are left out, and an answer has an
// x-amz-request-id in any case. Redirects are no answers: redirect.h. A value. Thread: the loop's.
// Tested by handler_answers_test.cc and tests/python/test_s3_names.py.
#pragma once

#include <cstdint>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/gateway/arrival.h"
#include "tercel/gateway/body_filters.h"
#include "tercel/gateway/config.h"
#include "tercel/gateway/cross_origin.h"
#include "tercel/gateway/station.h"
#include "tercel/http/message.h"
#include "tercel/proxy/field_draft.h"
#include "tercel/s3/operation.h"

namespace tercel::gateway {

class ResponseRewriter {
 public:
  // Whose answer it is, and of whom.
  struct To {
    const http::Request& request;
    const Config& config;
    const Backend& backend;
    const Backend* source;  // Of a copy; else null.
    const CrossOrigin& cors;
    std::string_view request_id;  // The backend's, or our own where it tells none.
    bool has_own_id;
  };

  // Notes what the request is about that goes now; `tells_keys`: its answer names keys other than
  // its own. Returns what the answer passes through, which is there as long as this.
  [[nodiscard]] ResponseFilter& begin(const Arrival& arrival, bool tells_keys) noexcept;
  // Fills in the fields of an answer. Fails with kNoMemory, kUpstreamMalformed or kHandlerFailed.
  [[nodiscard]] Result<void> rewrite(const http::ResponseHead& from, const To& to, Station& station,
                                     proxy::FieldDraft& draft) noexcept;
  // As those of ResponseFilter.
  [[nodiscard]] std::string_view error_code() const noexcept { return filter_.error_code(); }
  [[nodiscard]] bool refuses_credentials() const noexcept { return filter_.refuses_credentials(); }

 private:
  // What becomes of the text of an answer.
  enum class Text : std::uint8_t { kAsItIs, kRewritten, kReplaced };

  [[nodiscard]] Result<Text> plan(const http::ResponseHead& from, const To& to,
                                  Station& station) noexcept;
  // These throw std::bad_alloc.
  [[nodiscard]] Result<ResponseFilter::Names> names(const http::ResponseHead& from, const To& to,
                                                    Station& station) const;
  [[nodiscard]] OwnText own_error(const http::ResponseHead& from, const To& to,
                                  Station& station) const;

  ResponseFilter filter_;
  s3::Operation operation_ = s3::Operation::kUnknown;
  bool encodes_keys_ = false;
  bool tells_keys_ = false;
};

}  // namespace tercel::gateway
