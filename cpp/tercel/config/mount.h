// Folders whose files are served, as people write them: /assets=./dist, /=/srv/site.
//
// Only the form is read here; whether there is such a folder is seen when it is served. Tested by
// mount_test.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tercel::config {

struct Mount {
  std::string prefix;  // Without a slash at its end, so empty for "/".
  std::string folder;
  bool operator==(const Mount&) const = default;
};

[[nodiscard]] std::optional<Mount> parse_mount(std::string_view text);

// Whether `path` is one below which files may be: with a slash before each of its names and none
// behind, or "/" alone; not percent-encoded.
[[nodiscard]] bool valid_mount_path(std::string_view path) noexcept;

}  // namespace tercel::config
