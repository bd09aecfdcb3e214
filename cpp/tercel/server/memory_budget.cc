#include "tercel/server/memory_budget.h"

#include <unistd.h>

#include <algorithm>

#include "tercel/server/control_group.h"

namespace tercel::server {

std::size_t connections_for(std::uint64_t memory_bytes) noexcept {
  constexpr std::uint64_t kFewest = 64;
  return static_cast<std::size_t>(std::max(memory_bytes / 2 / kConnectionBytes, kFewest));
}

std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root) {
  std::optional<std::uint64_t> least;
  visit_groups(root, "memory", [&least](const std::string& folder, GroupVersion version) {
    const bool is_two = version == GroupVersion::kTwo;
    const auto limit = number_in(folder + (is_two ? "/memory.max" : "/memory.limit_in_bytes"));
    if (limit) least = std::min(*limit, least.value_or(*limit));
  });
  return least;
}

std::uint64_t available_memory(const std::string& root) {
  const auto pages = static_cast<std::uint64_t>(std::max(sysconf(_SC_PHYS_PAGES), 0L));
  const auto page_bytes = static_cast<std::uint64_t>(std::max(sysconf(_SC_PAGESIZE), 0L));
  const std::uint64_t physical = pages * page_bytes;
  return std::min(physical, cgroup_memory_limit(root).value_or(physical));
}

}  // namespace tercel::server
