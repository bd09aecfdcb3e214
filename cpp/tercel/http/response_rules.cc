#include "tercel/http/response_rules.h"

namespace tercel::http {

Result<void> ResponseRules::interim(const Response& response) const noexcept {
  if (head_released_) return fail(Errc::kIllegalStep);
  return inspect_interim(response);
}

Result<HeadFacts> ResponseRules::start(const Response& response) noexcept {
  if (started()) return fail(Errc::kIllegalStep);
  const bool switches = may_switch_ && response.status == 101;
  Result<HeadFacts> facts = switches ? inspect_switch(response) : inspect(response);
  if (!facts) return facts;
  status_ = response.status;
  left_ = facts->content_length;
  promised_trailers_ = response.trailers;
  if (is_head_ || is_bodyless(status_)) ending_ = Ending::kNoBody;
  if (switches) ending_ = Ending::kTunnel;
  return facts;
}

Result<BodyPlan> ResponseRules::write(std::uint64_t bytes, Final final) noexcept {
  if (!started()) return fail(Errc::kIllegalStep);
  BodyPlan plan{.bytes = bytes, .error = {}, .last = final == Final::kYes};
  if (ending_ == Ending::kNoBody) {
    plan.bytes = 0;
  } else if (left_) {
    if (bytes > *left_) {
      plan = {.bytes = *left_, .error = Errc::kResponseTooLong, .last = true};
    } else if (plan.last && bytes < *left_) {
      plan = {.bytes = bytes, .error = Errc::kResponseTooShort, .last = false};
    }
    *left_ -= plan.bytes;
  }
  body_bytes_ += plan.bytes;
  return plan;
}

bool ResponseRules::release_head(bool last) noexcept {
  head_released_ = true;
  if (is_tunnel()) return false;
  // A 205 has no content, and has to say so: RFC 9110 section 15.3.6.
  if (ending_ == Ending::kNoBody) return status_ == 205 && !is_head_;
  if (left_) {
    ending_ = Ending::kLength;
    return false;
  }
  if (last && !sends_trailers()) {
    ending_ = Ending::kLength;
    left_ = 0;
    return true;
  }
  ending_ = version_ == Version::kHttp10 ? Ending::kClose : Ending::kChunked;
  return false;
}

}  // namespace tercel::http
