// From the settings that people write to the options that the server takes.
#pragma once

#include "tercel/config/settings.h"
#include "tercel/server/options.h"

namespace tercel::python {

[[nodiscard]] server::Options to_options(const config::Settings& settings);

}  // namespace tercel::python
