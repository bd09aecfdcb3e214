#include "python/proxy/options.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;

namespace tercel::python::proxy {
namespace {

using std::chrono::milliseconds;
using tercel::proxy::FieldEdit;
using tercel::proxy::Trail;

template <typename T>
T value_of(const nb::dict& given, const char* name) {
  return nb::cast<T>(given[name]);
}

milliseconds time_of(const nb::dict& given, const char* name) {
  const std::chrono::duration<double> seconds{value_of<double>(given, name)};
  return std::chrono::ceil<milliseconds>(seconds);
}

// As Trail counts them.
Trail trail_of(const nb::dict& given, const char* name) {
  return static_cast<Trail>(value_of<std::uint8_t>(given, name));
}

std::vector<FieldEdit> edits_of(const nb::dict& given, const char* name) {
  using Pair = std::pair<std::string, std::optional<std::string>>;
  std::vector<FieldEdit> edits;
  for (Pair& pair : value_of<std::vector<Pair>>(given, name)) {
    edits.push_back({.name = std::move(pair.first), .value = std::move(pair.second)});
  }
  return edits;
}

std::optional<net::TlsClientContext> tls_of(const nb::dict& given, const std::string& url) {
  if (!value_of<bool>(given, "secure")) return std::nullopt;
  const net::TlsClientOptions options{.ca = value_of<std::string>(given, "ca"),
                                      .verify = value_of<bool>(given, "verify"),
                                      .certificate = value_of<std::string>(given, "certificate"),
                                      .key = value_of<std::string>(given, "key")};
  std::string problem;
  auto context = net::TlsClientContext::create(options, problem);
  if (!context) throw nb::value_error((url + " cannot be forwarded to: " + problem).c_str());
  return context;
}

}  // namespace

ProxyOptions to_options(const nb::dict& given) {
  ProxyOptions options;
  options.origin = {.host = value_of<std::string>(given, "host"),
                    .port = value_of<std::uint16_t>(given, "port"),
                    .unix_path = value_of<std::string>(given, "unix_path"),
                    .tls = tls_of(given, value_of<std::string>(given, "backend"))};

  const auto connections = value_of<std::size_t>(given, "connections");
  options.limits.connections_max = connections;
  options.limits.idle_max = connections;
  options.limits.connect_timeout = time_of(given, "connect_timeout");
  options.limits.wait_timeout = time_of(given, "wait_timeout");
  options.limits.idle_timeout = time_of(given, "idle_timeout");

  options.forward.host = value_of<std::string>(given, "authority");
  options.forward.keep_host = value_of<bool>(given, "keep_host");
  options.forward.x_forwarded = trail_of(given, "x_forwarded");
  options.forward.forwarded = trail_of(given, "forwarded");
  options.forward.via = value_of<std::string>(given, "via");
  options.forward.request_fields = edits_of(given, "request_headers");
  options.forward.response_fields = edits_of(given, "response_headers");
  options.forward.retries = value_of<bool>(given, "retries");
  options.forward.call.response_time = time_of(given, "response_timeout");
  options.forward.call.body_time = time_of(given, "progress_timeout");
  options.forward.call.write_time = time_of(given, "progress_timeout");
  options.forward.call.continue_time = time_of(given, "continue_timeout");
  options.forward.call.tunnel_time = time_of(given, "websocket_timeout");
  options.takes_prefix_off = value_of<bool>(given, "strip_prefix");
  return options;
}

}  // namespace tercel::python::proxy
