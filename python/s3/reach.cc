#include "python/s3/reach.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nanobind/stl/string.h>

#include "python/s3/items.h"
#include "tercel/s3/sha256.h"

namespace nb = nanobind;

namespace tercel::python::s3 {
namespace {

using gateway::Backend;
using gateway::Config;
using gateway::Endpoint;
using std::chrono::milliseconds;

std::string url_of(const Endpoint& endpoint) {
  std::string url = endpoint.secure ? "https://" : "http://";
  gateway::append_authority(endpoint, url);
  return url;
}

// Of what a file holds now: one that was replaced makes other connections.
std::string fingerprint(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::string content{std::istreambuf_iterator<char>{file}, {}};
  const tercel::s3::Sha256Digest digest = tercel::s3::sha256(content);
  tercel::s3::wipe(std::as_writable_bytes(std::span{content}));  // It may be a key.
  return std::string{tercel::s3::view(digest)};
}

// All that decides whether a server is trusted, and what it sees of us.
std::string key_of(const net::TlsClientOptions& tls) {
  std::string key = tls.verify ? "verified" : "any";
  for (const std::string& path : {tls.ca, tls.certificate, tls.key}) {
    if (path.empty()) {
      key += '-';
    } else {
      key += '+' + fingerprint(path);
    }
  }
  return key;
}

net::TlsClientOptions tls_options(std::string ca, bool verify, std::string certificate,
                                  std::string key) {
  net::TlsClientOptions tls;
  tls.ca = std::move(ca);
  tls.verify = verify;
  tls.certificate = std::move(certificate);
  tls.key = std::move(key);
  return tls;
}

std::string tls_problem(std::string ca, bool verify, std::string certificate, std::string key) {
  std::string problem;
  const auto made = net::TlsClientContext::create(
      tls_options(std::move(ca), verify, std::move(certificate), std::move(key)), problem);
  return made ? "" : problem;
}

milliseconds ms(Items& items) {
  return milliseconds{items.next<std::int64_t>()};
}

Endpoint to_endpoint(const nb::tuple& place, const Endpoint& common, const std::string& tls_key) {
  Items items{place};
  Endpoint endpoint = common;
  endpoint.health = {};
  endpoint.secure = items.next<bool>();
  endpoint.host = items.next<std::string>();
  endpoint.port = items.next<std::uint16_t>();
  if (!endpoint.secure) endpoint.tls.reset();
  endpoint.health_key = url_of(endpoint);
  if (endpoint.secure) endpoint.health_key += '\n' + tls_key;
  endpoint.pool_key = endpoint.health_key + '\n' +
                      std::to_string(endpoint.limits.connect_timeout.count()) + ' ' +
                      std::to_string(endpoint.limits.idle_timeout.count());
  return endpoint;
}

Endpoint* find(std::vector<Endpoint>& endpoints, std::string_view key) {
  const auto found = std::ranges::find(endpoints, key, &Endpoint::health_key);
  return found != endpoints.end() ? &*found : nullptr;
}

void share_one(Endpoint& endpoint, const Config* previous, Config& config) {
  if (Endpoint* const known = find(config.endpoints, endpoint.health_key)) {
    endpoint.health = known->health;
    // Of two backends that look at it the one that is in more of a hurry does.
    const bool sooner =
        known->check == gateway::Check::kOff || endpoint.check_interval < known->check_interval;
    if (endpoint.check != gateway::Check::kOff && sooner) *known = endpoint;
    return;
  }
  if (previous != nullptr) {
    const auto before =
        std::ranges::find(previous->endpoints, endpoint.health_key, &Endpoint::health_key);
    if (before != previous->endpoints.end()) endpoint.health = before->health;
  }
  config.endpoints.push_back(endpoint);
}

}  // namespace

std::optional<net::TlsClientContext> SharedReach::tls(const net::TlsClientOptions& options,
                                                      const std::string& key,
                                                      std::string& problem) {
  if (const auto known = tls_.find(key); known != tls_.end()) return known->second;
  auto made = net::TlsClientContext::create(options, problem);
  if (!made) return std::nullopt;
  if (tls_.size() == kTlsMax) tls_.clear();
  tls_.emplace(key, *made);
  return made;
}

gateway::SharedHealth SharedReach::health(const std::string& key) {
  if (health_.size() == kHealthMax && !health_.contains(key)) health_.clear();
  return health_[key];
}

void read_reach(const nb::tuple& reach, Backend& backend, SharedReach& shared) {
  Items items{reach};
  const auto places = items.next<nb::list>();
  auto ca = items.next<std::string>();
  const bool verify = items.next<bool>();
  auto certificate = items.next<std::string>();
  auto key = items.next<std::string>();
  const net::TlsClientOptions tls =
      tls_options(std::move(ca), verify, std::move(certificate), std::move(key));
  Endpoint common;
  common.limits.connect_timeout = ms(items);
  backend.times.response_time = ms(items);
  backend.times.body_time = backend.times.write_time = ms(items);
  common.limits.idle_timeout = ms(items);
  backend.retry.retries = items.next<unsigned>();
  backend.takes_turns = items.next<bool>();
  common.check = static_cast<gateway::Check>(items.next<std::uint8_t>());
  common.check_interval = ms(items);

  std::string tls_key;
  for (const nb::handle place : places) {
    const auto parts = nb::cast<nb::tuple>(place);
    if (nb::cast<bool>(parts[0]) && !common.tls) {
      tls_key = key_of(tls);
      std::string problem;
      common.tls = shared.tls(tls, tls_key, problem);
      if (!common.tls) {
        throw nb::value_error(
            ("the backend of \"" + backend.rule + "\" cannot be used: " + problem).c_str());
      }
    }
    Endpoint endpoint = to_endpoint(parts, common, tls_key);
    if (backend.pool_key.empty()) {
      static_cast<Endpoint&>(backend) = std::move(endpoint);
    } else {
      backend.others.push_back(std::move(endpoint));
    }
  }
}

void share_health(Backend& backend, const Config* previous, Config& config) {
  share_one(backend, previous, config);
  for (Endpoint& other : backend.others) share_one(other, previous, config);
}

void share_health(Backend& backend, const Config& config, SharedReach& shared) {
  const auto share = [&](Endpoint& endpoint) {
    const auto known =
        std::ranges::find(config.endpoints, endpoint.health_key, &Endpoint::health_key);
    endpoint.health =
        known != config.endpoints.end() ? known->health : shared.health(endpoint.health_key);
  };
  share(backend);
  std::ranges::for_each(backend.others, share);
}

nb::list describe_endpoints(const Config& config) {
  nb::list all;
  for (const Endpoint& endpoint : config.endpoints) {
    const gateway::EndpointHealth& health = *endpoint.health;
    all.append(
        nb::make_tuple(url_of(endpoint), health.rests(), health.failures(), health.rest_count()));
  }
  return all;
}

void bind_reach(nb::module_& module) {
  module.def("tls_problem", &tls_problem, nb::arg("ca"), nb::arg("verify"), nb::arg("certificate"),
             nb::arg("key"), "Returns why files cannot be used; nothing if they can.");
}

}  // namespace tercel::python::s3
