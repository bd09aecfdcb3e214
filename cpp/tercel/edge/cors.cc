#include "tercel/edge/cors.h"

#include <algorithm>
#include <memory>

#include "tercel/http/error_answer.h"

namespace tercel::edge {

void Cors::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  const http::Field* const origin = http::find_field(request.fields, "origin");
  if (origin == nullptr || !request.protocol.empty()) return inner_.handle(request, exchange);
  if (CorsPolicy::is_preflight(request)) return answer_preflight(request, exchange);
  Around* const around =
      under_way_.make(*this, exchange, policy_.allow(origin->value), origin->value);
  if (around == nullptr) return exchange.abort(Errc::kNoMemory);
  inner_.handle(request, *around);
}

void Cors::answer_preflight(const http::Request& request, http::Exchange& exchange) const noexcept {
  std::array<http::Field, CorsPolicy::kPreflightFieldsMax> fields;
  const auto started =
      exchange.start({.status = 204, .fields = policy_.preflight_fields(request, fields)});
  if (!started) return exchange.abort(Errc::kHandlerFailed);
  // Fails when the client is gone; the server sees to that.
  static_cast<void>(exchange.write({}, http::Final::kYes));
}

Cors::Around::Around(Cors& cors, http::Exchange& exchange, std::string_view allowed,
                     std::string_view origin) noexcept
    : cors_{cors}, exchange_{exchange}, allowed_{allowed} {
  if (allowed.data() == origin.data() && !allowed.empty()) {
    // The request is gone by the time of the answer. allow() takes no longer one.
    std::copy(origin.begin(), origin.end(), origin_.begin());
    allowed_ = {origin_.data(), origin.size()};
  }
  exchange_.observe(this);
}

Result<void> Cors::Around::start(const http::Response& response) noexcept {
  CorsPolicy::Room more;
  const auto added = cors_.policy_.fields(allowed_, response.fields, more);
  const std::size_t count = response.fields.size() + added.size();
  const Block block = cors_.blocks_.take(count * sizeof(http::Field));
  if (!block) {
    exchange_.abort(Errc::kNoMemory);
    return fail(Errc::kNoMemory);
  }
  auto* const all = reinterpret_cast<http::Field*>(block.data());
  auto* const end = std::uninitialized_copy(response.fields.begin(), response.fields.end(), all);
  std::uninitialized_copy(added.begin(), added.end(), end);
  http::Response with = response;
  with.fields = {all, count};
  return exchange_.start(with);
}

// What the server would answer, with the fields: else no page learns that it is too fast, or that
// the application failed.
void Cors::Around::abort(Errc error, std::chrono::seconds retry_after) noexcept {
  if (info(error).http_status == 0 || error == Errc::kNoMemory) {
    return exchange_.abort(error, retry_after);
  }
  const http::ErrorAnswer answer{error, retry_after};
  http::Exchange& exchange = exchange_;
  if (const auto begun = start(answer.response()); !begun) {
    // There was a head before, or the client is gone. With kNoMemory it has ended, and this with
    // it.
    if (begun.error() != Errc::kNoMemory) exchange.abort(error, retry_after);
    return;
  }
  static_cast<void>(exchange.write(http::Payload::borrow(answer.body()), http::Final::kYes));
}

void Cors::Around::on_body() noexcept {
  if (observer_ != nullptr) observer_->on_body();
}

void Cors::Around::on_writable() noexcept {
  if (observer_ != nullptr) observer_->on_writable();
}

void Cors::Around::on_notice(http::Notice notice) noexcept {
  if (observer_ != nullptr) observer_->on_notice(notice);
}

void Cors::Around::on_end(http::Outcome outcome) noexcept {
  if (observer_ != nullptr) observer_->on_end(outcome);
  cors_.under_way_.destroy(this);
}

}  // namespace tercel::edge
