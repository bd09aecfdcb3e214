// What somebody may use at once and in a second: requests, requests at the same time, and bytes.
//
//   BudgetTable table;
//   BudgetHold hold;                                        // Of one request, until it is over.
//   const BudgetClaim claims[] = {{table.hash(name), rules}};
//   if (const auto wait = hold.enter(table, claims, loop.now()); wait > 0ns) ...  // Too much.
//   ready_at = hold.reserve(65536, now); ... hold.give_back(unused);             // Of bytes.
//
// One request may be of several budgets: it enters all of them, or none, and is then counted
// nowhere. Each budget has a place of a table (place_table.h) that all loops of a process share.
// The limits are exact across them, but for what the clocks of the loops differ; only when more
// keys have requests under way than a set of the table has places, those that find none are not
// limited. Rules may change while requests are under way: what was used stays used.
//
// Processes may share requests and bytes of budgets (budget_shares.h); requests under way are each
// process's own.
//
// Bytes are reserved before they are read, and whoever reserves waits behind all who did so before:
// transfers of one budget have their turns. What came beyond a reservation is reserved afterwards.
//
// Tested by budget_test.cc.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/keyed_hash.h"
#include "tercel/edge/budget_rules.h"
#include "tercel/edge/budget_shares.h"
#include "tercel/edge/place_table.h"
#include "tercel/edge/token_bucket.h"

namespace tercel::edge {

struct Budget {
  TokenBucket requests;
  TokenBucket bytes;

  [[nodiscard]] std::chrono::nanoseconds full_at() const noexcept {
    return std::max(requests.full_at(), bytes.full_at());
  }
  void fill() noexcept {
    requests.fill();
    bytes.fill();
  }
};

class BudgetTable {
 public:
  static constexpr std::size_t kPlaces = 65'536;  // 1.5 MiB.
  using Places = PlaceTable<Budget>;

  // Throws std::bad_alloc.
  explicit BudgetTable(std::size_t places = kPlaces, KeyedHash hash = KeyedHash::random())
      : hash_{hash}, places_{places} {}

  [[nodiscard]] const KeyedHash& hash() const noexcept { return hash_; }
  [[nodiscard]] Places& places() noexcept { return places_; }

  // Other processes have reserved bytes of a budget: it is full at `until` at the earliest.
  void hold_up(std::uint64_t key, std::chrono::nanoseconds until) noexcept {
    Places::Place* const place = places_.pin(key).place;
    if (place == nullptr) return;
    place->state.bytes.raise(until);
    places_.unpin(*place);
  }

 private:
  const KeyedHash hash_;
  Places places_;
};

struct BudgetClaim {
  std::uint64_t key;         // Made with the table's hash.
  const BudgetRules* rules;  // That limit something. Live as long as the hold.
  std::uint32_t tag = 0;     // Whatever its maker knows it by.
};

// Of a request that enters budgets that several processes share.
struct SharedUse {
  static constexpr std::size_t kMax = 4;

  BudgetShares* shares = nullptr;  // Null: they are this process's own.
  // Those to ask about: where the wait is BudgetShares::kUnknown the one that is waited for, else
  // what is to come.
  std::array<const BudgetClaim*, kMax> asks{};
  std::uint8_t ask_count = 0;
  // Of what was taken from them.
  std::array<std::uint64_t, kMax> keys{};
  std::uint8_t count = 0;

  void give_back(std::chrono::nanoseconds now) noexcept {
    if (shares == nullptr) return;
    while (count != 0) shares->give_back(keys[--count], now);
  }
};

// The part of one request in its budgets. Resource: given back when it is destroyed. Thread: one at
// a time.
class BudgetHold {
 public:
  static constexpr std::size_t kBudgetsMax = SharedUse::kMax;
  // Who would have to wait for its first byte longer than this is told to come again.
  static constexpr std::chrono::nanoseconds kBacklogMax = std::chrono::seconds{10};
  // When there may be a place, where nobody knows when a request will be over.
  static constexpr std::chrono::nanoseconds kPlaceTime = std::chrono::seconds{1};

  BudgetHold() noexcept = default;
  BudgetHold(const BudgetHold&) = delete;
  BudgetHold& operator=(const BudgetHold&) = delete;
  ~BudgetHold() { leave(); }

  // Zero: it is in all of them; else how long to wait before it is tried again. `table` outlives
  // the hold. REQUIRES: it holds none; claims.size() <= kBudgetsMax.
  [[nodiscard]] std::chrono::nanoseconds enter(BudgetTable& table,
                                               std::span<const BudgetClaim> claims,
                                               std::chrono::nanoseconds now) noexcept {
    SharedUse none;
    return enter(table, claims, now, none);
  }
  // The same with requests of `use`; BudgetShares::kUnknown: nobody knows how long yet.
  [[nodiscard]] std::chrono::nanoseconds enter(BudgetTable& table,
                                               std::span<const BudgetClaim> claims,
                                               std::chrono::nanoseconds now,
                                               SharedUse& use) noexcept;
  void leave() noexcept;

  // One of its budgets limits bytes.
  [[nodiscard]] bool limits_bytes() const noexcept { return limits_bytes_; }
  // Takes `bytes` of each. Returns when they may be read.
  [[nodiscard]] std::chrono::nanoseconds reserve(std::uint64_t bytes,
                                                 std::chrono::nanoseconds now) noexcept;
  // Of what was reserved, and is not used.
  void give_back(std::uint64_t bytes) noexcept;

 private:
  struct Held {
    BudgetTable::Places::Place* place;
    const BudgetRules* rules;
    std::uint64_t key;
  };
  // One of the claims; it is left out where the table has no place for it.
  [[nodiscard]] std::chrono::nanoseconds enter_one(const BudgetClaim& claim,
                                                   std::chrono::nanoseconds now,
                                                   SharedUse& use) noexcept;
  [[nodiscard]] std::span<const Held> held() const noexcept {
    return std::span{held_}.first(count_);
  }

  // Tells the others of bytes.
  void tell(const Held& one, std::int64_t bytes) const noexcept {
    if (shares_ != nullptr) shares_->add_bytes(one.key, bytes);
  }

  BudgetTable* table_ = nullptr;
  BudgetShares* shares_ = nullptr;
  std::array<Held, kBudgetsMax> held_;
  std::uint8_t count_ = 0;
  bool limits_bytes_ = false;
};

}  // namespace tercel::edge
