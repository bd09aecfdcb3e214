#include <chrono>
#include <cstddef>
#include <new>
#include <string>
#include <string_view>

#include "tercel/edge/budget_shares.h"
#include "tercel/gateway/visit.h"

namespace tercel::gateway {

using s3::ErrorCode;

bool Visit::admit(const http::Request& request) noexcept {
  Caller caller{key_->identity};
  if (request.client != nullptr) caller.client = client_id(*request.client);
  const std::string_view bucket = station_.arrival.resource.bucket;
  Lease::Asks asks;
  const auto wait = lease_.enter(*config_, caller, bucket, station_.loop.now(), asks);
  const Waits waits = wait == edge::BudgetShares::kUnknown ? Waits::kYes : Waits::kNo;
  bool asked = true;
  for (std::size_t i = 0; i < asks.count; ++i) {
    asked = ask_about(asks.claims[i], caller, bucket, waits) && asked;
  }
  if (waits == Waits::kYes) {
    if (asked) return keep(request);
    station_.counts.add(Counts::limited);
    refuse(ErrorCode::kSlowDown);
    return false;
  }
  if (wait == wait.zero()) return true;
  station_.counts.add(Counts::limited);
  retry_after_ = std::chrono::ceil<std::chrono::seconds>(wait);
  refuse(ErrorCode::kSlowDown);
  return false;
}

bool Visit::ask_about(const edge::BudgetClaim& claim, const Caller& caller, std::string_view bucket,
                      Waits waits) noexcept {
  if (waits == Waits::kYes && budget_rounds_++ == kBudgetRoundsMax) return false;
  try {
    const std::string text = config_->limits.describe(claim, caller, bucket);
    const auto state = station_.desk->budget({text, claim.key, *claim.rules},
                                             waits == Waits::kYes ? &budget_waiter_ : nullptr);
    return state == Desk::State::kWaits;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace tercel::gateway
