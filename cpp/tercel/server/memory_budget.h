// How many connections a server may hold that was not told: as many as half of its memory carries.
//
// Memory is what the machine has or, if that is less, what the control group grants: in a container
// the second is what ends the process. Read once, at start.
// Source: cgroups(7), kernel documentation "Control Group v2". Tested by memory_budget_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace tercel::server {

// What a connection is reckoned with: an idle one takes a few hundred bytes here and a few
// thousand in the kernel, a busy one its head, its output up to the high-water mark, and whatever
// the application makes of it.
inline constexpr std::uint64_t kConnectionBytes = 16'384;

// At least 64, whatever the memory.
[[nodiscard]] std::size_t connections_for(std::uint64_t memory_bytes) noexcept;

// The memory of the machine, or of the control group of this process where that is less.
// `root` stands before /proc and /sys, for tests.
[[nodiscard]] std::uint64_t available_memory(const std::string& root = {});

// The least limit of the control group of this process and of those above it, of either version.
// Nothing when there is none.
[[nodiscard]] std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root);

}  // namespace tercel::server
