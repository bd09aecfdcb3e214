// The control groups of this process, as files: what they grant is less than what the machine has.
//
// Read once, at start, never while serving.
// Source: cgroups(7), kernel documentation "Control Group v2". Tested by memory_budget_test.cc and
// processors_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tercel::server {

enum class GroupVersion : std::uint8_t { kOne, kTwo };

// Calls `visit` with each folder that may hold limits of `controller` for this process: that of its
// own group, and those above, whose limits hold as well. `root` stands before /proc and /sys.
void visit_groups(const std::string& root, std::string_view controller,
                  const std::function<void(const std::string& folder, GroupVersion)>& visit);

// Takes the first line off `text`, which loses the end of the line with it.
[[nodiscard]] std::string_view take_line(std::string_view& text) noexcept;

// The text of one of the kernel's files, empty when there is none.
[[nodiscard]] std::string text_of(const std::string& path);

// The number that `path` holds, or nothing: "max" and -1 are no limit.
[[nodiscard]] std::optional<std::uint64_t> number_in(const std::string& path);

}  // namespace tercel::server
