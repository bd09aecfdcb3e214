#include "tercel/config/check.h"

#include <algorithm>
#include <vector>

#include "tercel/config/bind.h"

namespace tercel::config {

Problem check(const Settings& settings) {
  const std::vector<Bind> all = binds(settings);
  for (auto bind = all.begin(); bind != all.end(); ++bind) {
    const bool any_port = bind->kind == BindKind::kTcp && bind->port == 0;
    if (!any_port && std::find(all.begin(), bind, *bind) != bind) {
      return "bind names " + in_quotes(format(*bind)) + " twice: remove one of them.";
    }
  }
  return std::nullopt;
}

}  // namespace tercel::config
