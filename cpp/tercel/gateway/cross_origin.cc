#include "tercel/gateway/cross_origin.h"

#include <algorithm>
#include <new>

namespace tercel::gateway {

bool CrossOrigin::read(const http::Request& request,
                       std::span<const edge::CorsPolicy> rules) noexcept {
  has_rules_ = !rules.empty();
  if (!has_rules_) return true;
  const http::Field* const origin = http::find_field(request.fields, "origin");
  if (origin == nullptr) return true;
  const auto rule = std::ranges::find_if(rules, [&](const edge::CorsPolicy& one) {
    return one.allows_method(request.method) && !one.allow(origin->value).empty();
  });
  if (rule == rules.end()) return true;
  allowed_ = rule->allow(origin->value);
  if (allowed_.data() == origin->value.data()) {
    try {
      allowed_ = origin_ = origin->value;
    } catch (const std::bad_alloc&) {
      allowed_ = {};
      return false;
    }
  }
  rule_ = &*rule;
  return true;
}

const edge::CorsPolicy* CrossOrigin::granted(const http::Request& preflight,
                                             std::span<const edge::CorsPolicy> rules) noexcept {
  const auto rule = std::ranges::find_if(
      rules, [&](const edge::CorsPolicy& one) { return one.grants(preflight); });
  return rule != rules.end() ? &*rule : nullptr;
}

std::span<const http::Field> CrossOrigin::fields(std::span<const http::Field> present,
                                                 edge::CorsPolicy::Room& room) const noexcept {
  if (!has_rules_) return {};
  const auto added =
      rule_ != nullptr ? rule_->fields(allowed_, present, room) : std::span<const http::Field>{};
  if (edge::varies_by_origin(present) || edge::varies_by_origin(added)) return added;
  // Of a rule for every origin, too: another origin, or none, may get another answer.
  room.fields[added.size()] = {"vary", "origin"};
  return std::span{room.fields}.first(added.size() + 1);
}

}  // namespace tercel::gateway
