// The configuration of a gateway, made of what Python says (src/tercel/s3/gateway.py).
//
// Thread: one that holds the interpreter lock. Tested by test_s3_options.py.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nanobind/nanobind.h>

#include "python/s3/reach.h"
#include "tercel/gateway/config.h"

namespace tercel::python::s3 {

// What stays as it is while a gateway serves.
struct Fixed {
  std::vector<std::string> domains;
  std::string region;
  bool debug;
  bool resolves;  // Who is asked knows buckets that no configuration names.
};

// `rules`: a tuple for each backend, as _native() of gateway.py makes them; `limits`: one for each
// limit, as native_limits() of limits.py does. Of endpoints that are in `previous`, too, what was
// learnt is kept; null: there is none. Throws ValueError with a sentence, or TypeError.
[[nodiscard]] gateway::Config to_config(const Fixed& fixed, const nanobind::list& rules,
                                        const nanobind::list& limits,
                                        const gateway::Config* previous, SharedReach& shared);

// A backend for buckets that `config`, which is the one in force, does not name. As a rule.
[[nodiscard]] gateway::Backend to_backend_beside(const gateway::Config& config,
                                                 const nanobind::tuple& rule, SharedReach& shared);

// Nothing, or a sentence on what is wrong with a rule, as _native() of cors.py makes them.
[[nodiscard]] std::optional<std::string> cors_problem(const nanobind::tuple& rule);

}  // namespace tercel::python::s3
