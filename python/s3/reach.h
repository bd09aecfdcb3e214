// How a backend is reached, made of what Python says (src/tercel/s3/reach.py).
//
// Thread: one that holds the interpreter lock. Tested by tests/python/test_s3_reach.py.
#pragma once

#include <nanobind/nanobind.h>

#include "tercel/gateway/config.h"

namespace tercel::python::s3 {

// `reach`: as native_reach() makes it. Sets the endpoints of `backend`, and what is beside them.
// Throws ValueError with a sentence, or TypeError.
void read_reach(const nanobind::tuple& reach, gateway::Backend& backend);

// Endpoints of one key have one health: that of `previous`, if it is there. Lists them in `config`.
void share_health(gateway::Backend& backend, const gateway::Config* previous,
                  gateway::Config& config);

void bind_reach(nanobind::module_& module);

// A tuple for each endpoint, as EndpointState has them.
[[nodiscard]] nanobind::list describe_endpoints(const gateway::Config& config);

}  // namespace tercel::python::s3
