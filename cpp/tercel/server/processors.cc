#include "tercel/server/processors.h"

#include <sched.h>

#include <algorithm>
#include <string_view>
#include <thread>

#include "tercel/base/parse_number.h"
#include "tercel/server/control_group.h"

namespace tercel::server {
namespace {

// Time in microseconds that a group may use in each period, and the period.
struct Bandwidth {
  std::optional<std::uint64_t> quota;
  std::optional<std::uint64_t> period;
};

std::optional<std::uint64_t> parsed(std::string_view text) {
  const auto number = parse_decimal(text);
  return number ? std::optional{*number} : std::nullopt;
}

Bandwidth bandwidth_of(const std::string& folder, GroupVersion version) {
  if (version == GroupVersion::kOne) {
    return {.quota = number_in(folder + "/cpu.cfs_quota_us"),
            .period = number_in(folder + "/cpu.cfs_period_us")};
  }
  // "200000 100000", or "max 100000".
  const std::string text = text_of(folder + "/cpu.max");
  std::string_view rest = text;
  const std::string_view line = take_line(rest);
  const std::size_t space = std::min(line.find(' '), line.size());
  return {.quota = parsed(line.substr(0, space)),
          .period = parsed(line.substr(std::min(space + 1, line.size())))};
}

std::size_t processors_of_affinity() noexcept {
  cpu_set_t set;
  // It fails on machines with more processors than the set has places for.
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    return static_cast<std::size_t>(CPU_COUNT(&set));
  }
  return std::thread::hardware_concurrency();
}

}  // namespace

std::optional<std::size_t> cgroup_processor_limit(const std::string& root) {
  std::optional<std::size_t> least;
  visit_groups(root, "cpu", [&least](const std::string& folder, GroupVersion version) {
    const auto [quota, period] = bandwidth_of(folder, version);
    if (!quota || !period || *period == 0) return;
    const std::uint64_t whole = *quota / *period + (*quota % *period == 0 ? 0 : 1);
    const auto limit = static_cast<std::size_t>(std::max<std::uint64_t>(whole, 1));
    least = std::min(limit, least.value_or(limit));
  });
  return least;
}

std::size_t available_processors(const std::string& root) {
  const std::size_t allowed = std::max<std::size_t>(processors_of_affinity(), 1);
  return std::min(allowed, cgroup_processor_limit(root).value_or(allowed));
}

}  // namespace tercel::server
