#include "tercel/server/memory_budget.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string_view>

#include "tercel/base/parse_number.h"

namespace tercel::server {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{64} * 1024;

// The text of one of the kernel's files, empty when there is none. C's streams: those of C++ bring
// their locales, a megabyte of memory in a process that needs none.
std::string text_of(const std::string& path) {
  const auto close = [](std::FILE* file) { static_cast<void>(std::fclose(file)); };
  const std::unique_ptr<std::FILE, decltype(close)> file{std::fopen(path.c_str(), "re"), close};
  std::string text;
  std::array<char, 512> part;
  while (file != nullptr && text.size() < kFileBytesMax) {
    const std::size_t bytes = std::fread(part.data(), 1, part.size(), file.get());
    if (bytes == 0) break;
    text.append(part.data(), bytes);
  }
  return text;
}

// Takes the first line off `text`.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

// The number that a file holds, or nothing: "max" is no limit.
std::optional<std::uint64_t> number_in(const std::string& path) {
  const std::string text = text_of(path);
  std::string_view rest = text;
  const auto number = parse_decimal(take_line(rest));
  return number ? std::optional{*number} : std::nullopt;
}

std::optional<std::uint64_t> least(std::optional<std::uint64_t> a, std::optional<std::uint64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// `path` and every folder above it, below `mount`. Where the path of the group is that of the host,
// not of the container, only the mount itself is there.
std::optional<std::uint64_t> least_limit(const std::string& mount, std::string path,
                                         std::string_view file) {
  std::optional<std::uint64_t> limit;
  while (true) {
    limit = least(limit, number_in(mount + path + '/' + std::string{file}));
    if (path.empty() || path == "/") return limit;
    path.resize(path.rfind('/'));
  }
}

// Whether `names`, separated by commas, has `name`.
bool has_controller(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(','), names.size());
    if (names.substr(0, end) == name) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

}  // namespace

std::size_t connections_for(std::uint64_t memory_bytes) noexcept {
  constexpr std::uint64_t kFewest = 64;
  return static_cast<std::size_t>(std::max(memory_bytes / 2 / kConnectionBytes, kFewest));
}

std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root) {
  std::optional<std::uint64_t> limit;
  const std::string groups = text_of(root + "/proc/self/cgroup");
  // "hierarchy:controllers:path"; version 2 has hierarchy 0 and no controllers.
  for (std::string_view rest = groups; !rest.empty();) {
    const std::string_view line = take_line(rest);
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || !line.substr(second).starts_with(":/")) continue;
    const std::string path{line.substr(second + 1)};
    const std::string_view names = line.substr(first + 1, second - first - 1);
    if (names.empty()) {
      limit = least(limit, least_limit(root + "/sys/fs/cgroup", path, "memory.max"));
    } else if (has_controller(names, "memory")) {
      limit =
          least(limit, least_limit(root + "/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"));
    }
  }
  return limit;
}

std::uint64_t available_memory(const std::string& root) {
  const auto pages = static_cast<std::uint64_t>(std::max(sysconf(_SC_PHYS_PAGES), 0L));
  const auto page_bytes = static_cast<std::uint64_t>(std::max(sysconf(_SC_PAGESIZE), 0L));
  const std::uint64_t physical = pages * page_bytes;
  return std::min(physical, cgroup_memory_limit(root).value_or(physical));
}

}  // namespace tercel::server
