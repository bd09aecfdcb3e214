// From the setting `metrics_bind` to bound sockets, beside those of the application.
//
// Throws what or_throw() does. Tested by test_metrics.py.
#pragma once

#include <string>
#include <vector>

#include "tercel/config/settings.h"
#include "tercel/net/listen_socket.h"

namespace tercel::python {

// The settings of the application, as far as these sockets have a use for them: without TLS.
[[nodiscard]] config::Settings of_metrics(const config::Settings& settings);
// Moves `sockets` behind those of `all`, and returns what to open.
std::string add_metrics(std::vector<net::ListenSocket>& all, std::vector<net::ListenSocket> sockets,
                        const config::Settings& settings);

}  // namespace tercel::python
