// Addresses to listen on, as people write them.
//
//   127.0.0.1:8000   localhost:8000   [::1]:8000   unix:/run/app.sock   fd://3
//
// Only the form is read here: the server resolves names and talks to the system.
// Tested by bind_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/config/settings.h"

namespace tercel::config {

enum class BindKind : std::uint8_t { kTcp, kUnix, kDescriptor };

struct Bind {
  BindKind kind = BindKind::kTcp;
  std::string host{};      // kTcp: an IP literal without brackets, or a name.
  std::uint16_t port = 0;  // kTcp; 0: any free one.
  std::string path{};      // kUnix: 1 to 107 bytes, what sockaddr_un holds.
  int descriptor = -1;     // kDescriptor.
  bool operator==(const Bind&) const = default;
};

[[nodiscard]] std::optional<Bind> parse_bind(std::string_view text);
// The text that parse_bind() reads back to the same value.
[[nodiscard]] std::string format(const Bind& bind);

// True for an IP literal (IPv6 without brackets) or a host name: nothing else, no port.
[[nodiscard]] bool valid_host(std::string_view text) noexcept;
[[nodiscard]] bool valid_unix_path(std::string_view text) noexcept;

// All that `settings` ask for: every `bind`, then `uds` and `fd`; `host` and `port` when there is
// none of these. REQUIRES: settings that assign() filled.
[[nodiscard]] std::vector<Bind> binds(const Settings& settings);

}  // namespace tercel::config
