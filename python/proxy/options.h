// What a reverse proxy is told, made of what Python says (src/tercel/proxy/forward.py).
//
// Thread: one that holds the interpreter lock. Tested by test_proxy_options.py.
#pragma once

#include <nanobind/nanobind.h>

#include "tercel/proxy/forward.h"
#include "tercel/proxy/origin.h"
#include "tercel/proxy/pool.h"

namespace tercel::python::proxy {

struct ProxyOptions {
  tercel::proxy::Origin origin;
  tercel::proxy::PoolLimits limits;
  tercel::proxy::ForwardOptions forward;
  bool takes_prefix_off = true;
};

// `given`: as Forward makes it. Throws ValueError with a sentence about files of TLS; KeyError and
// TypeError are faults of tercel's own Python code.
[[nodiscard]] ProxyOptions to_options(const nanobind::dict& given);

}  // namespace tercel::python::proxy
