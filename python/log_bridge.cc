#include "python/log_bridge.h"

#include <new>

#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace tercel::python {
namespace {

// Never destroyed: a thread of the engine may speak until the very end.
LogBridge& bridge() {
  static auto* const instance = new LogBridge;
  return *instance;
}

int deliver_pending(void* /*unused*/) noexcept {
  Gil gil = Gil::assume_held();
  bridge().deliver(gil);
  return 0;
}

// As the module `logging` numbers them.
int to_number(LogLevel level) noexcept {
  return 10 * (static_cast<int>(level) + 1);
}
static_assert(static_cast<int>(LogLevel::kDebug) == 0 && static_cast<int>(LogLevel::kError) == 3);

void hand_over(const nb::object& logger, LogLevel level, const std::string& text) {
  logger.attr("log")(to_number(level), "%s",
                     nb::steal(PyUnicode_DecodeLatin1(
                         text.data(), static_cast<Py_ssize_t>(text.size()), nullptr)));
}

}  // namespace

void LogBridge::log(LogLevel level, std::string_view text) noexcept {
  const std::scoped_lock lock{mutex_};
  if (lines_.size() >= kLinesMax) {
    ++lost_;
    return;
  }
  try {
    lines_.emplace_back(level, text);
  } catch (const std::bad_alloc&) {
    ++lost_;
  }
  // The interpreter keeps 32 such wishes. Where they are taken, whoever is first fetches our lines,
  // or the next line asks again.
  Py_AddPendingCall(&deliver_pending, nullptr);
}

void LogBridge::deliver(Gil& /*gil*/) noexcept {
  std::vector<Line> lines;
  std::uint64_t lost = 0;
  {
    const std::scoped_lock lock{mutex_};
    lines.swap(lines_);
    lost = std::exchange(lost_, 0);
  }
  if (lines.empty()) return;
  try {
    const nb::object logger = nb::module_::import_("logging").attr("getLogger")("tercel");
    for (const auto& [level, text] : lines) hand_over(logger, level, text);
    if (lost > 0) {
      hand_over(logger, LogLevel::kWarning,
                std::to_string(lost) + " message(s) of the engine were lost");
    }
  } catch (nb::python_error& error) {
    error.discard_as_unraisable("tercel's log");
  }
}

void bind_log_bridge(nb::module_& module);

void bind_log_bridge(nb::module_& module) {
  module.def(
      "install_log_bridge", [] { set_log_sink(&bridge()); },
      "Sends what the engine says to the logger `tercel`. May be called again.");
  module.def(
      "deliver_log",
      [] {
        Gil gil = Gil::assume_held();
        bridge().deliver(gil);
      },
      "Hands what the engine said so far to the logger, which happens by itself soon.");
  module.def(
      "remove_log_bridge", [] { set_log_sink(nullptr); },
      "Sends what the engine says to standard error again.");
}

}  // namespace tercel::python
