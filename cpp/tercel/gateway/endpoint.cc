#include "tercel/gateway/endpoint.h"

#include <array>
#include <charconv>

namespace tercel::gateway {

void append_authority(const Endpoint& endpoint, std::string& to) {
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  if (is_ipv6) to.push_back('[');
  to.append(endpoint.host);
  if (is_ipv6) to.push_back(']');
  const std::uint16_t usual = endpoint.secure ? 443 : 80;
  if (endpoint.port == usual) return;
  std::array<char, 6> port{':'};
  const auto [end, error] =
      std::to_chars(port.data() + 1, port.data() + port.size(), endpoint.port);
  to.append(port.data(), end);
}

}  // namespace tercel::gateway
