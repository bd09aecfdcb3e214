// How many processors this process may use: by its affinity, and by what its control group grants
// it.
//
// In a container the machine may have many more: a process for each of them would wait most of the
// time, and take memory. Read once, at start.
// Source: sched_getaffinity(2), kernel documentation "CFS Bandwidth Control" and "Control Group v2"
// (cpu.max). Tested by processors_test.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace tercel::server {

// At least 1. A share of a processor counts as one. `root` stands before /proc and /sys, for tests.
[[nodiscard]] std::size_t available_processors(const std::string& root = {});

// The least that the control group of this process and those above it grant, rounded up. Nothing
// when there is no limit.
[[nodiscard]] std::optional<std::size_t> cgroup_processor_limit(const std::string& root);

}  // namespace tercel::server
