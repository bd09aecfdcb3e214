// How a backend is reached, made of what Python says (src/tercel/s3/reach.py).
//
// Thread: one that holds the interpreter lock. Tested by tests/python/test_s3_reach.py.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

#include <nanobind/nanobind.h>

#include "tercel/gateway/config.h"
#include "tercel/net/tls_client.h"

namespace tercel::python::s3 {

// What backends that are made one after the other have in common. A resource of its gateway.
class SharedReach {
 public:
  // Certificates of authorities take milliseconds to read: once for the same files and options.
  // Throws std::bad_alloc. Empty: `problem` says why.
  [[nodiscard]] std::optional<net::TlsClientContext> tls(const net::TlsClientOptions& options,
                                                         const std::string& key,
                                                         std::string& problem);
  // Has files read again.
  void forget_tls() noexcept { tls_.clear(); }
  // Of endpoints that no configuration has. Throws std::bad_alloc.
  [[nodiscard]] gateway::SharedHealth health(const std::string& key);

 private:
  // More than these, and all are forgotten: who uses them has them.
  static constexpr std::size_t kTlsMax = 64;
  static constexpr std::size_t kHealthMax = 4096;

  std::unordered_map<std::string, net::TlsClientContext> tls_;
  std::unordered_map<std::string, gateway::SharedHealth> health_;
};

// `reach`: as native_reach() makes it. Sets the endpoints of `backend`, and what is beside them.
// Throws ValueError with a sentence, or TypeError.
void read_reach(const nanobind::tuple& reach, gateway::Backend& backend, SharedReach& shared);

// Endpoints of one key have one health: that of `previous`, if it is there. Lists them in `config`.
void share_health(gateway::Backend& backend, const gateway::Config* previous,
                  gateway::Config& config);

// The same for a backend that no configuration has: `config` is the one in force.
void share_health(gateway::Backend& backend, const gateway::Config& config, SharedReach& shared);

void bind_reach(nanobind::module_& module);

// A tuple for each endpoint, as EndpointState has them.
[[nodiscard]] nanobind::list describe_endpoints(const gateway::Config& config);

}  // namespace tercel::python::s3
