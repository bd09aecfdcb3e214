// The configuration of a gateway, made of what Python says (src/tercel/s3/gateway.py).
//
// Thread: one that holds the interpreter lock. Tested by test_s3_options.py.
#pragma once

#include <string>
#include <vector>

#include <nanobind/nanobind.h>

#include "tercel/gateway/config.h"

namespace tercel::python::s3 {

// What stays as it is while a gateway serves.
struct Fixed {
  std::vector<std::string> domains;
  std::string region;
  bool debug;
};

// `rules`: a tuple for each backend, as _native() of gateway.py makes them. Of endpoints that are
// in `previous`, too, what was learnt is kept; null: there is none. Throws ValueError with a
// sentence, or TypeError.
[[nodiscard]] gateway::Config to_config(const Fixed& fixed, const nanobind::list& rules,
                                        const gateway::Config* previous);

}  // namespace tercel::python::s3
