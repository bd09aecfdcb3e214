#include "python/api/buffer_exchange.h"

#include "tercel/http/error_answer.h"
#include "tercel/http/response_rules.h"

namespace tercel::python::api {

Result<void> BufferExchange::start(const http::Response& response) noexcept {
  if (status_ != 0) return fail(Errc::kIllegalStep);
  status_ = response.status;
  for (const http::Field& field : response.fields) fields_.emplace_back(field.name, field.value);
  return {};
}

Result<void> BufferExchange::write(http::Payload payload, http::Final) noexcept {
  if (!http::is_bodyless(status_)) body_.append(payload.bytes);
  if (payload.release != nullptr) payload.release(payload.owner);
  return {};
}

void BufferExchange::abort(Errc error, std::chrono::seconds retry_after) noexcept {
  if (status_ != 0) return;
  const http::ErrorAnswer answer{info(error).http_status != 0 ? error : Errc::kHandlerFailed,
                                 retry_after};
  static_cast<void>(start(answer.response()));
  static_cast<void>(write(http::Payload::borrow(answer.body()), http::Final::kYes));
}

}  // namespace tercel::python::api
