// What a visit tells the audit log and the meters.
#include <optional>
#include <string_view>
#include <utility>

#include "tercel/gateway/visit.h"

namespace tercel::gateway {
namespace {

// Nothing: the policy did not say.
std::optional<bool> said(const SharedConst<Decision>& decision) noexcept {
  if (!decision) return std::nullopt;
  if (decision->verdict == Verdict::kYes) return true;
  if (decision->verdict == Verdict::kNo) return false;
  return std::nullopt;
}

}  // namespace

void Visit::note(const http::Request& request, Read read) noexcept {
  if (read != Read::kNot) operation_ = station_.arrival.operation.operation;
  if (station_.audit == nullptr || record_ != nullptr) return;
  record_ = station_.audit->open(request, station_.arrival, read);
}

void Visit::depart() noexcept {
  departed_ = station_.stopwatch.now();
  if (station_.audit != nullptr) station_.audit->on_departure(record_);
}

void Visit::arrive(std::string_view request_id) noexcept {
  if (departed_ == departed_.zero()) return;
  station_.meters.upstream.add(station_.stopwatch.now() - std::exchange(departed_, {}));
  if (station_.audit != nullptr) station_.audit->on_arrival(record_, request_id);
}

void Visit::conclude(http::Outcome outcome, unsigned attempts,
                     const http::Traffic& traffic) noexcept {
  station_.meters.count(operation_, traffic.status);
  station_.pools.show_in(station_.meters);
  if (station_.audit == nullptr) return;
  // Whoever copies is judged twice; what was said last is what counts.
  const SharedConst<Decision>& decision = source_decision_ ? source_decision_ : decision_;
  AuditLog::End end{.outcome = outcome,
                    .backend_broke_off = broke_off_,
                    .traffic = traffic,
                    .request_id = own_request_id(),
                    .allowed = said(decision),
                    .attempts = attempts,
                    .error = error_,
                    .backend_error = response_.error_code()};
  if (verified_) end.identity = key_->identity;
  if (decision) end.reason = decision->reason;
  if (backend_ != nullptr) end.rule = backend_->rule;
  station_.audit->close(record_, end);
}

}  // namespace tercel::gateway
