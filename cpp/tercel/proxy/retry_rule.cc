#include "tercel/proxy/retry_rule.h"

#include <algorithm>

namespace tercel::proxy {

using std::chrono::nanoseconds;

namespace {

bool is_safe(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD";
}

// Source: RFC 9110 section 9.2.2.
bool is_idempotent(std::string_view method) noexcept {
  return is_safe(method) || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

bool is_of_connecting(const FailedAttempt& failed) noexcept {
  return failed.status == 0 && failed.progress == Progress::kUnsent &&
         (failed.error == Errc::kUpstreamUnreachable || failed.error == Errc::kUpstreamUnknown ||
          failed.error == Errc::kUpstreamUntrusted || failed.error == Errc::kUpstreamTimeout);
}

// What may be repeated although the origin may have worked on it.
bool may_repeat(const FailedAttempt& failed) noexcept {
  if (failed.status != 0) {
    return failed.status == 503 || (is_transient(failed.status) && is_safe(failed.method));
  }
  const bool broke = failed.error == Errc::kUpstreamFailed ||
                     failed.error == Errc::kUpstreamReset ||
                     failed.error == Errc::kUpstreamTruncated;
  return broke && is_safe(failed.method);
}

// The upper half of the pause is chance.
nanoseconds pause_of(unsigned number, const RetryRule::With& with) noexcept {
  const nanoseconds doubled = with.options.pause_min * (1 << std::min(number, 10U));
  const nanoseconds whole = std::min<nanoseconds>(doubled, with.options.pause_max);
  return whole / 2 + whole / 2 * (with.chance >> 16) / 65536;
}

}  // namespace

bool nothing_was_lost(const FailedAttempt& failed) noexcept {
  if (!failed.replayable) return false;
  if (failed.status != 0) return failed.status == kWaitedTooLong && failed.reused;
  if (failed.progress == Progress::kUnsent) {
    return failed.reused || (failed.attempt == 1 && failed.error == Errc::kUpstreamUnreachable);
  }
  if (failed.progress != Progress::kHeadSent || !failed.reused) return false;
  if (failed.error != Errc::kUpstreamFailed && failed.error != Errc::kUpstreamReset) return false;
  // Without its body it cannot have been carried out.
  return failed.has_body || is_idempotent(failed.method);
}

bool RetryBudget::spend() noexcept {
  std::int32_t parts = parts_.load(std::memory_order_relaxed);
  do {
    if (parts < kRequestsForOne) return false;
  } while (
      !parts_.compare_exchange_weak(parts, parts - kRequestsForOne, std::memory_order_relaxed));
  return true;
}

std::optional<nanoseconds> RetryRule::after(const FailedAttempt& failed,
                                            const With& with) noexcept {
  if (!failed.replayable) return std::nullopt;
  // The connection after that is a new one, and the origins become fewer: neither has to be
  // counted.
  if (nothing_was_lost(failed) || (is_of_connecting(failed) && with.others > 0)) {
    return nanoseconds{0};
  }
  if (!may_repeat(failed) || repeated_ >= with.options.retries) return std::nullopt;
  if (!with.budget.spend()) return std::nullopt;
  const unsigned number = repeated_++;
  return with.others > 0 ? nanoseconds{0} : pause_of(number, with);
}

}  // namespace tercel::proxy
