#include "python/s3/config.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "python/s3/items.h"
#include "python/s3/reach.h"
#include "tercel/edge/cors_policy.h"
#include "tercel/gateway/anonymous.h"
#include "tercel/gateway/glob.h"
#include "tercel/gateway/limits.h"
#include "tercel/s3/operation.h"
#include "tercel/s3/resource.h"

namespace nb = nanobind;

namespace tercel::python::s3 {
namespace {

using gateway::Backend;
using gateway::CredentialsFrom;

gateway::Credentials credentials_of(CredentialsFrom from, std::string access_key,
                                    std::string_view secret, std::string_view token) {
  gateway::Credentials credentials{gateway::Verdict::kYes};
  if (from == CredentialsFrom::kHmac) {
    credentials.value = gateway::Hmac{std::move(access_key), gateway::SecretText{secret},
                                      gateway::SecretText{token}};
  } else if (from == CredentialsFrom::kBearer) {
    credentials.value = gateway::Bearer{gateway::SecretText{secret}};
  }
  return credentials;
}

// Of the names of operations, which src/tercel/s3/anonymous.py has looked at.
gateway::AnonymousOperations anonymous_of(const nb::list& names) {
  gateway::AnonymousOperations operations;
  for (const nb::handle item : names) {
    const auto name = nb::cast<std::string_view>(item);
    for (int i = 0; i < static_cast<int>(tercel::s3::Operation::kUnknown); ++i) {
      const auto operation = static_cast<tercel::s3::Operation>(i);
      if (tercel::s3::info(operation).name == name) operations.allow(operation);
    }
  }
  return operations;
}

using Texts = std::vector<std::string>;

edge::CorsOptions to_cors(const nb::tuple& rule) {
  Items items{rule};
  edge::CorsOptions options;
  options.origins = items.next<Texts>();
  options.methods = items.next<Texts>();
  options.headers = items.next<Texts>();
  options.expose = items.next<Texts>();
  options.max_age_seconds = items.next<std::uint32_t>();
  options.credentials = items.next<bool>();
  options.private_network = items.next<bool>();
  return options;
}

gateway::Limit to_limit(const nb::tuple& rule) {
  Items items{rule};
  gateway::Limit limit;
  limit.per = static_cast<gateway::LimitPer>(items.next<std::uint8_t>());
  limit.identities = items.next<Texts>();
  limit.buckets = items.next<Texts>();
  limit.rules.token = std::chrono::nanoseconds{items.next<std::int64_t>()};
  limit.rules.burst = items.next<std::uint32_t>();
  limit.rules.concurrent = items.next<std::uint32_t>();
  limit.rules.bandwidth = items.next<std::uint64_t>();
  return limit;
}

Backend to_backend(const nb::tuple& rule, SharedReach& shared) {
  Items items{rule};
  Backend backend;
  backend.rule = items.next<std::string>();
  backend.region = items.next<std::string>();
  backend.style = static_cast<gateway::Style>(items.next<std::uint8_t>());
  backend.bucket = items.next<std::string>();
  backend.credentials_from = static_cast<CredentialsFrom>(items.next<std::uint8_t>());
  auto access_key = items.next<std::string>();
  const auto secret = items.next<std::string_view>();
  const auto token = items.next<std::string_view>();
  backend.shared_credentials =
      SharedConst{credentials_of(backend.credentials_from, std::move(access_key), secret, token)};
  backend.trailers = items.next<bool>();
  backend.prefix = items.next<std::string>();
  backend.redirects = items.next<std::string>();
  backend.anonymous = anonymous_of(items.next<nb::list>());
  read_reach(items.next<nb::tuple>(), backend, shared);
  for (const nb::handle one : items.next<nb::list>()) {
    backend.cors.emplace_back(to_cors(nb::cast<nb::tuple>(one)));
  }
  return backend;
}

}  // namespace

gateway::Config to_config(const Fixed& fixed, const nb::list& rules, const nb::list& limits,
                          const gateway::Config* previous, SharedReach& shared) {
  gateway::Config config;
  for (const nb::handle rule : rules) {
    Backend backend = to_backend(nb::cast<nb::tuple>(rule), shared);
    share_health(backend, previous, config);
    if (!gateway::is_glob(backend.rule) && !tercel::s3::valid_bucket_name(backend.rule)) {
      throw nb::value_error(
          ("\"" + backend.rule +
           "\" is no name of a bucket: 3 to 63 lower-case letters, digits, hyphens and dots")
              .c_str());
    }
    if (const auto problem = config.buckets.add(backend.rule, backend)) {
      throw nb::value_error(problem->c_str());
    }
  }
  for (const nb::handle limit : limits) {
    if (const auto problem = config.limits.add(to_limit(nb::cast<nb::tuple>(limit)))) {
      throw nb::value_error(problem->c_str());
    }
  }
  config.domains = fixed.domains;
  config.domain_views.assign(config.domains.begin(), config.domains.end());
  config.region = fixed.region;
  config.debug = fixed.debug;
  config.resolves = fixed.resolves;
  return config;
}

Backend to_backend_beside(const gateway::Config& config, const nb::tuple& rule,
                          SharedReach& shared) {
  Backend backend = to_backend(rule, shared);
  share_health(backend, config, shared);
  gateway::give_secret_version(backend);
  return backend;
}

std::optional<std::string> cors_problem(const nb::tuple& rule) {
  return edge::CorsPolicy::problem_of(to_cors(rule));
}

}  // namespace tercel::python::s3
