#include "tercel/config/check.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tercel/config/bind.h"

namespace tercel::config {

namespace {

// Each thread keeps to its share of a limit, and a share of nothing would be no limit.
Problem check_threads(const Settings& settings) {
  const struct {
    const char* name;
    std::uint64_t most;
  } limits[] = {{"limit-connections", settings.limit_connections},
                {"limit-concurrency", settings.limit_concurrency}};
  for (const auto& limit : limits) {
    if (limit.most == 0 || settings.io_threads <= limit.most) continue;
    return "io-threads " + std::to_string(settings.io_threads) + " is more than " + limit.name +
           " " + std::to_string(limit.most) +
           ", which the threads share: lower the one or raise the other.";
  }
  return std::nullopt;
}

}  // namespace

Problem check(const Settings& settings) {
  if (auto problem = check_threads(settings)) return problem;
  const std::vector<Bind> all = binds(settings);
  for (auto bind = all.begin(); bind != all.end(); ++bind) {
    const bool any_port = bind->kind == BindKind::kTcp && bind->port == 0;
    if (!any_port && std::find(all.begin(), bind, *bind) != bind) {
      return "bind names " + in_quotes(format(*bind)) + " twice: remove one of them.";
    }
  }
  return std::nullopt;
}

}  // namespace tercel::config
