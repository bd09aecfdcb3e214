// What all loops of a gateway have in common.
//
// Resource: outlives its handlers. Thread: any.
#pragma once

#include <cstddef>
#include <utility>

#include "tercel/gateway/changes.h"
#include "tercel/gateway/config.h"
#include "tercel/gateway/counts.h"

namespace tercel::gateway {

struct Gateway {
  Gateway(SharedConst<Config> first, std::size_t entries_max)
      : config{std::move(first)}, cache_entries_max{entries_max} {}
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  LiveConfig config;
  Changes changes;
  AllCounts counts;
  const std::size_t cache_entries_max;  // Of each kind of answer, for each loop.
};

}  // namespace tercel::gateway
