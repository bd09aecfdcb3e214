#include "tercel/config/mount.h"

#include <algorithm>

namespace tercel::config {

bool valid_mount_path(std::string_view path) noexcept {
  if (path == "/") return true;
  const auto ordinary = [](unsigned char c) {
    return c > ' ' && c != '?' && c != '#' && c != '%' && c != 0x7F;
  };
  return path.starts_with('/') && !path.ends_with('/') &&
         path.find("//") == std::string_view::npos &&
         std::all_of(path.begin(), path.end(), ordinary);
}

std::optional<Mount> parse_mount(std::string_view text) {
  const std::size_t cut = std::min(text.find('='), text.size());
  const std::string_view prefix = text.substr(0, cut);
  const std::string_view folder = text.substr(std::min(cut + 1, text.size()));
  if (!valid_mount_path(prefix) || folder.empty()) return std::nullopt;
  if (folder.find('\0') != std::string_view::npos) return std::nullopt;
  return Mount{.prefix = std::string{prefix == "/" ? std::string_view{} : prefix},
               .folder = std::string{folder}};
}

}  // namespace tercel::config
