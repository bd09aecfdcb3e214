// From the settings that people write to the options that the server takes.
#pragma once

#include "tercel/config/settings.h"
#include "tercel/edge/rate_table.h"
#include "tercel/server/options.h"

namespace tercel::python {

[[nodiscard]] server::Options to_options(const config::Settings& settings);

[[nodiscard]] edge::RateLimitOptions to_rate_limit(const config::Settings& settings) noexcept;

}  // namespace tercel::python
