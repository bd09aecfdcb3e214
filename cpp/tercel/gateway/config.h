// What a gateway is configured with, and how loops come by another one while they serve.
//
//   LiveConfig live{SharedConst{std::move(config)}};
//   live.replace(SharedConst{std::move(other)});      // Thread: any.
//   const Config& now = *view.current();              // A loop's ConfigView: no lock if unchanged.
//
// A request keeps the configuration that it began with. Thread: any for LiveConfig, one for a view.
// Tested by config_test.cc.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tercel/base/shared_const.h"
#include "tercel/edge/budget.h"
#include "tercel/gateway/buckets.h"
#include "tercel/gateway/limits.h"

namespace tercel::gateway {

struct Config {
  Buckets buckets;
  // Host names, in lower case, below which a bucket is a label, and views of them.
  std::vector<std::string> domains;
  std::vector<std::string_view> domain_views;
  std::vector<Endpoint> endpoints;  // Of all buckets, one for each health key.
  std::string region;               // That clients have to sign for; empty: any.
  bool resolves = false;            // The policy is asked for the backend of other buckets.
  bool debug = false;               // A refused signature is told with what was to be signed.
  Limits limits;
  edge::BudgetTable* budgets = nullptr;  // The gateway's. REQUIRES: not null if there are limits.
  edge::BudgetShares* shares = nullptr;  // With other processes; null: with none.
};

class LiveConfig {
 public:
  explicit LiveConfig(SharedConst<Config> first) : config_{std::move(first)} {}

  void replace(SharedConst<Config> next) noexcept {
    {
      const std::scoped_lock lock{mutex_};
      std::swap(config_, next);
    }
    version_.fetch_add(1, std::memory_order_release);
  }
  [[nodiscard]] std::uint64_t version() const noexcept {
    return version_.load(std::memory_order_acquire);
  }
  [[nodiscard]] SharedConst<Config> current() const noexcept {
    const std::scoped_lock lock{mutex_};
    return config_;
  }

 private:
  mutable std::mutex mutex_;
  SharedConst<Config> config_;
  std::atomic<std::uint64_t> version_{0};
};

class ConfigView {
 public:
  // `live` outlives it.
  explicit ConfigView(const LiveConfig& live) noexcept
      : live_{live}, version_{live.version()}, config_{live.current()} {}

  [[nodiscard]] const SharedConst<Config>& current() noexcept {
    if (const std::uint64_t version = live_.version(); version != version_) {
      version_ = version;
      config_ = live_.current();
    }
    return config_;
  }
  // Of what current() returned last.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

 private:
  const LiveConfig& live_;
  std::uint64_t version_;
  SharedConst<Config> config_;
};

}  // namespace tercel::gateway
