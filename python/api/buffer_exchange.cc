#include "python/api/buffer_exchange.h"

#include <algorithm>
#include <utility>

#include "tercel/http/chars.h"
#include "tercel/http/error_answer.h"
#include "tercel/http/h1_writer.h"

namespace tercel::python::api {

BufferExchange::~BufferExchange() {
  if (observer_ != nullptr) observer_->on_end(http::Outcome::kAborted);
}

http::BodyRead BufferExchange::read_body() noexcept {
  if (!request_body_) {
    needs_body_ = true;
    return {{}, http::BodyState::kPending};
  }
  return {std::exchange(*request_body_, {}), http::BodyState::kEnd};
}

Result<void> BufferExchange::start(const http::Response& response) noexcept {
  if (const auto facts = rules_.start(response); !facts) return fail(facts.error());
  for (const http::Field& field : response.fields) {
    std::string name{field.name};
    std::transform(name.begin(), name.end(), name.begin(), http::to_lower);
    if (http::is_left_out(name, response.status)) continue;
    fields_.emplace_back(std::move(name), http::trim_blanks(field.value));
  }
  if (response.status == 205) fields_.emplace_back("content-length", "0");
  return {};
}

Result<void> BufferExchange::write(http::Payload payload, http::Final) noexcept {
  if (!http::is_bodyless(status())) body_.append(payload.bytes);
  if (payload.release != nullptr) payload.release(payload.owner);
  return {};
}

Result<void> BufferExchange::write_file(http::FileRange range, http::Final) noexcept {
  FilePart file{range};
  if (http::is_bodyless(status())) return {};
  parts_.push_back({.before = std::exchange(body_, {}), .file = std::move(file)});
  return {};
}

void BufferExchange::abort(Errc error, std::chrono::seconds retry_after) noexcept {
  if (rules_.started()) return;
  const http::ErrorAnswer answer{info(error).http_status != 0 ? error : Errc::kHandlerFailed,
                                 retry_after};
  static_cast<void>(start(answer.response()));
  static_cast<void>(write(http::Payload::borrow(answer.body()), http::Final::kYes));
}

}  // namespace tercel::python::api
