#include "tercel/edge/rate_rule.h"

namespace tercel::edge {

RateRule::RateRule(const RateRuleOptions& options)
    : header_{options.header}, table_{options.limit} {}

std::chrono::nanoseconds RateRule::take(const http::Request& request,
                                        std::chrono::nanoseconds now) noexcept {
  const auto client = whose(request);
  return client ? table_.take(*client, now) : std::chrono::nanoseconds{0};
}

std::optional<ClientId> RateRule::whose(const http::Request& request) const noexcept {
  if (!header_.empty()) {
    const http::Field* const field = http::find_field(request.fields, header_);
    if (field != nullptr) return ClientId{hash_(field->value)};
  }
  return request.client != nullptr ? client_id(*request.client) : std::nullopt;
}

}  // namespace tercel::edge
