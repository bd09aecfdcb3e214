// Where backends have said that buckets are, so that they are asked there at once.
//
//   if (!known.empty()) elsewhere = known.find(config, bucket, loop.now());
//   ...
//   elsewhere = known.add(config, bucket, *std::move(backend), For::kGood, loop.now());
//   ...
//   known.forget(*elsewhere);   // It failed there, or is not there any more.
//
// For some time, and for a number of buckets: the one whose time ends first makes room. All of it
// counts for one configuration only, of which a copy is held. Resource: one a loop. Thread: the
// loop's. Cost: linear in that number; where nothing is known, none. Tested by
// known_redirects_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/base/shared_const.h"
#include "tercel/gateway/backend.h"
#include "tercel/gateway/config.h"

namespace tercel::gateway {

class KnownRedirects {
 public:
  static constexpr std::size_t kBucketsMax = 256;
  static constexpr std::chrono::minutes kGood{10};  // 301: the endpoint or the region is another.
  static constexpr std::chrono::minutes kNow{1};    // 307: names of new buckets get known.

  enum class For : std::uint8_t { kNow, kGood };

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  // Empty: nothing is known. `bucket`: as clients name it.
  [[nodiscard]] SharedConst<Backend> find(const SharedConst<Config>& config,
                                          std::string_view bucket,
                                          std::chrono::nanoseconds now) noexcept;
  // Throws std::bad_alloc.
  SharedConst<Backend> add(const SharedConst<Config>& config, std::string_view bucket,
                           Backend elsewhere, For how_long, std::chrono::nanoseconds now);
  // Nothing of that name is known any more: what find() or add() returned.
  void forget(const Backend& elsewhere) noexcept;

 private:
  struct Entry {
    std::string bucket;
    SharedConst<Backend> elsewhere;
    std::chrono::nanoseconds until;
  };

  SharedConst<Config> config_;
  std::vector<Entry> entries_;
};

}  // namespace tercel::gateway
