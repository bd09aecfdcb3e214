#include "python/logger_lines.h"

#include <string>
#include <string_view>
#include <utility>

#include "tercel/base/log.h"

namespace nb = nanobind;

namespace tercel::python {

LoggerLines::LoggerLines(net::Loop& loop, nb::object logger)
    : loop_{loop},
      logger_{std::move(logger)},
      buffer_{std::make_unique_for_overwrite<char[]>(kCapacity)} {}

LoggerLines::~LoggerLines() {
  flush();
}

std::span<char> LoggerLines::room(std::size_t bytes) noexcept {
  if (kCapacity - filled_ < bytes) {
    drop();
    return {};
  }
  return {&buffer_[filled_], bytes};
}

void LoggerLines::commit(std::size_t bytes) noexcept {
  filled_ += bytes;
  if (!queued()) loop_.defer(*this);
}

void LoggerLines::drop() noexcept {
  ++dropped_;
}

// The lines are taken out of the buffer first: a handler may do anything, even serve a request.
void LoggerLines::flush() noexcept {
  const nb::gil_scoped_acquire gil;
  const std::string taken{&buffer_[0], std::exchange(filled_, 0)};
  std::string_view lines{taken};
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    // ASCII: everything else is escaped.
    PyObject* done = PyObject_CallMethod(logger_.ptr(), "info", "s#", lines.data(),
                                         static_cast<Py_ssize_t>(end));
    if (done == nullptr) PyErr_WriteUnraisable(logger_.ptr());
    Py_XDECREF(done);
    lines.remove_prefix(end + 1);
  }
  if (dropped_ > 0) report();
}

void LoggerLines::report() noexcept {
  log(LogLevel::kWarning, "the access log lost " + std::to_string(std::exchange(dropped_, 0)) +
                              " line(s): more came at once than its buffer holds");
}

}  // namespace tercel::python
