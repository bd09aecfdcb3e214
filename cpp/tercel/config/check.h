// What no single setting can tell: settings that contradict each other.
// Tested by check_test.cc.
#pragma once

#include "tercel/config/problem.h"
#include "tercel/config/settings.h"

namespace tercel::config {

// REQUIRES: every value of `settings` passed assign() or is a default.
[[nodiscard]] Problem check(const Settings& settings);

}  // namespace tercel::config
