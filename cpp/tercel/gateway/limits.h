// How much whom: the limits of a gateway, and which of them count for a request.
//
//   Limits limits;
//   if (auto problem = limits.add({.per = LimitPer::kIdentity, .rules = rules})) refuse(*problem);
//   std::array<edge::BudgetClaim, Limits::kClaimsMax> room;
//   hold.enter(table, limits.claims(table.hash(), {"alice"}, "logs", room), loop.now());
//
// A limit is for the identities and buckets that its patterns fit (glob.h), and says who of them
// share a budget. Of those of one kind the first that fits a request counts, so a request has at
// most four. A budget is that of a limit's patterns, whatever its numbers and its place in the
// list: a configuration with other numbers changes no budget.
//
// A value. Thread: any, once it is complete. Cost of claims(): linear in the number of patterns;
// nothing is allocated. Source: docs/guide/s3.md, "Limits". Tested by limits_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/base/client_id.h"
#include "tercel/base/keyed_hash.h"
#include "tercel/edge/budget.h"

namespace tercel::gateway {

// Who shares a budget, of those whom a limit fits.
enum class LimitPer : std::uint8_t {
  kIdentity,  // The requests of one identity, whatever their bucket.
  kBucket,    // Those on one bucket, whoever makes them.
  kPair,      // Those of one identity on one bucket.
  kAll        // All.
};

struct Limit {
  LimitPer per = LimitPer::kIdentity;
  std::vector<std::string> identities = {"*"};
  std::vector<std::string> buckets = {"*"};
  edge::BudgetRules rules = {};  // Without a number: who fits is not limited in this kind.
};

// Who asks. Strangers have no identity: each is counted by its address.
struct Caller {
  std::string_view identity;
  std::optional<ClientId> client = std::nullopt;  // Counts where the identity is empty.
};

class Limits {
 public:
  static constexpr std::size_t kLimitsMax = 256;
  static constexpr std::size_t kPatternsMax = 256;  // Of each list of a limit.
  static constexpr std::size_t kClaimsMax = 4;      // One of each kind.

  // A sentence when there is no place for it, or it would never count.
  [[nodiscard]] std::optional<std::string> add(Limit limit);
  [[nodiscard]] bool empty() const noexcept { return limits_.empty(); }

  // Those that count. Without a bucket, as for a list of buckets, there are none of kBucket and
  // kPair, and of the others those for any bucket. Valid as long as this and `room`.
  [[nodiscard]] std::span<const edge::BudgetClaim> claims(
      const KeyedHash& hash, const Caller& caller, std::string_view bucket,
      std::array<edge::BudgetClaim, kClaimsMax>& room) const noexcept;

  // What tells the budget of a claim from all others, in every process that has this limit.
  // REQUIRES: the claim is of this, of that caller and bucket. Throws std::bad_alloc.
  [[nodiscard]] std::string describe(const edge::BudgetClaim& claim, const Caller& caller,
                                     std::string_view bucket) const;

 private:
  struct Entry {
    Limit limit;
    std::string name;      // Of kind and patterns: differs where they do.
    std::uint64_t number;  // Made of the name.
  };

  std::vector<Entry> limits_;
};
static_assert(Limits::kClaimsMax <= edge::BudgetHold::kBudgetsMax);

}  // namespace tercel::gateway
