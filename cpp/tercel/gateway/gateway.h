// What all loops of a gateway have in common.
//
// Resource: outlives its handlers. Thread: any.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include "tercel/edge/budget.h"
#include "tercel/gateway/changes.h"
#include "tercel/gateway/config.h"
#include "tercel/gateway/meters.h"

namespace tercel::gateway {

struct Gateway {
  Gateway(SharedConst<Config> first, std::size_t entries_max)
      : config{std::move(first)}, cache_entries_max{entries_max} {}
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // For a configuration with limits: what was used of them. Throws std::bad_alloc.
  [[nodiscard]] edge::BudgetTable& budgets() {
    const std::scoped_lock lock{mutex_};
    if (budgets_ == nullptr) budgets_ = std::make_unique<edge::BudgetTable>();
    return *budgets_;
  }
  // And what others leave of it. Throws std::bad_alloc.
  [[nodiscard]] edge::BudgetShares& shares() {
    const std::scoped_lock lock{mutex_};
    if (shares_ == nullptr) shares_ = std::make_unique<edge::BudgetShares>();
    return *shares_;
  }

  LiveConfig config;
  Changes changes;
  AllMeters meters;
  const std::size_t cache_entries_max;  // Of each kind of answer, for each loop.

 private:
  std::mutex mutex_;
  std::unique_ptr<edge::BudgetTable> budgets_;  // Outlives every request.
  std::unique_ptr<edge::BudgetShares> shares_;
};

}  // namespace tercel::gateway
