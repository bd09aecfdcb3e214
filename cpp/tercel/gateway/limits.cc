#include "tercel/gateway/limits.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "tercel/gateway/glob.h"
#include "tercel/gateway/key_pieces.h"

namespace tercel::gateway {
namespace {

// A byte between two patterns, and between two lists: in no name.
void append(std::string& name, const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) name.append(pattern).push_back('\0');
  name.push_back('\1');
}

bool fits(const std::vector<std::string>& patterns, std::string_view name) noexcept {
  return std::ranges::any_of(patterns,
                             [name](const std::string& pattern) { return matches(pattern, name); });
}

bool counts_for(const Limit& limit, std::string_view identity, std::string_view bucket) noexcept {
  const bool needs_bucket = limit.per == LimitPer::kBucket || limit.per == LimitPer::kPair;
  if (needs_bucket && bucket.empty()) return false;
  return fits(limit.buckets, bucket) && fits(limit.identities, identity);
}

std::uint64_t hash_of(const Caller& caller, const KeyedHash& hash) noexcept {
  if (!caller.identity.empty() || !caller.client) return hash(caller.identity);
  return hash(static_cast<std::uint64_t>(*caller.client));
}

}  // namespace

std::optional<std::string> Limits::add(Limit limit) {
  if (limits_.size() == kLimitsMax) return "a gateway has at most 256 limits";
  if (std::max(limit.identities.size(), limit.buckets.size()) > kPatternsMax) {
    return "a limit has at most 256 identities and 256 buckets: use patterns";
  }
  std::string name(1, static_cast<char>('0' + static_cast<int>(limit.per)));
  append(name, limit.identities);
  append(name, limit.buckets);
  if (std::ranges::find(limits_, name, &Entry::name) != limits_.end()) {
    return "two limits are of the same kind, identities and buckets: the second would never count";
  }
  const std::uint64_t number = std::hash<std::string>{}(name);
  limits_.push_back({std::move(limit), std::move(name), number});
  return std::nullopt;
}

std::span<const edge::BudgetClaim> Limits::claims(
    const KeyedHash& hash, const Caller& caller, std::string_view bucket,
    std::array<edge::BudgetClaim, kClaimsMax>& room) const noexcept {
  std::size_t count = 0;
  unsigned decided = 0;  // A bit for each kind.
  for (std::uint32_t i = 0; i < limits_.size(); ++i) {
    const auto& [limit, name, number] = limits_[i];
    const unsigned kind = 1U << static_cast<unsigned>(limit.per);
    if ((decided & kind) != 0 || !counts_for(limit, caller.identity, bucket)) continue;
    decided |= kind;
    if (!limit.rules.limits()) continue;
    std::uint64_t key = number;
    if (limit.per == LimitPer::kIdentity || limit.per == LimitPer::kPair) {
      key ^= hash_of(caller, hash);
    }
    if (limit.per == LimitPer::kPair) key = hash(key);  // A bucket called as an identity is none.
    if (limit.per == LimitPer::kBucket || limit.per == LimitPer::kPair) key ^= hash(bucket);
    room[count++] = {hash(key), &limit.rules, i};
  }
  return std::span{room}.first(count);
}

std::string Limits::describe(const edge::BudgetClaim& claim, const Caller& caller,
                             std::string_view bucket) const {
  const auto& [limit, name, number] = limits_[claim.tag];
  const bool of_bucket = limit.per == LimitPer::kBucket || limit.per == LimitPer::kPair;
  std::string text;
  append_piece(text, name);
  append_piece(text, of_bucket ? bucket : std::string_view{});
  if (limit.per == LimitPer::kIdentity || limit.per == LimitPer::kPair) {
    const bool known = !caller.identity.empty() || !caller.client;
    append_piece(text, known ? caller.identity : std::string_view{});
    if (!known) append_piece(text, std::to_string(static_cast<std::uint64_t>(*caller.client)));
  }
  return text;
}

}  // namespace tercel::gateway
