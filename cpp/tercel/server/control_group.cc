#include "tercel/server/control_group.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "tercel/base/parse_number.h"

namespace tercel::server {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{64} * 1024;

// `path` and every folder above it, below `mount`. Where the path of the group is that of the host,
// not of the container, only the mount itself is there.
void visit_upwards(const std::string& mount, std::string path, GroupVersion version,
                   const std::function<void(const std::string&, GroupVersion)>& visit) {
  while (true) {
    visit(mount + path, version);
    if (path.empty() || path == "/") return;
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

std::string text_of(const std::string& path) {
  // C's streams: those of C++ bring their locales, a megabyte of memory in a process that needs
  // none.
  const auto close = [](std::FILE* file) { static_cast<void>(std::fclose(file)); };
  const std::unique_ptr<std::FILE, decltype(close)> file{std::fopen(path.c_str(), "re"), close};
  std::string text;
  std::array<char, 512> part;
  // Read straight into `part`: a buffer would be a page of memory, for a number.
  if (file != nullptr) static_cast<void>(std::setvbuf(file.get(), nullptr, _IONBF, 0));
  while (file != nullptr && text.size() < kFileBytesMax) {
    const std::size_t bytes = std::fread(part.data(), 1, part.size(), file.get());
    if (bytes == 0) break;
    text.append(part.data(), bytes);
  }
  return text;
}

std::string_view take_line(std::string_view& text) noexcept {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::optional<std::uint64_t> number_in(const std::string& path) {
  const std::string text = text_of(path);
  std::string_view rest = text;
  const auto number = parse_decimal(take_line(rest));
  return number ? std::optional{*number} : std::nullopt;
}

void visit_groups(const std::string& root, std::string_view controller,
                  const std::function<void(const std::string&, GroupVersion)>& visit) {
  const std::string groups = text_of(root + "/proc/self/cgroup");
  // "hierarchy:controllers:path"; version 2 has hierarchy 0 and no controllers.
  for (std::string_view rest = groups; !rest.empty();) {
    const std::string_view line = take_line(rest);
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || !line.substr(second).starts_with(":/")) continue;
    const std::string path{line.substr(second + 1)};
    const std::string_view names = line.substr(first + 1, second - first - 1);
    const std::string mount = root + "/sys/fs/cgroup";
    if (names.empty()) {
      visit_upwards(mount, path, GroupVersion::kTwo, visit);
    } else if (has_controller(names, controller)) {
      visit_upwards(mount + '/' + std::string{controller}, path, GroupVersion::kOne, visit);
    }
  }
}

}  // namespace tercel::server
