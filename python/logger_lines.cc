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
    hand_over(lines.substr(0, end));
    lines.remove_prefix(end + 1);
  }
  if (dropped_ > 0) report();
}

// A logger that raises must not stop the server, nor the lines that follow.
void LoggerLines::hand_over(std::string_view line) noexcept {
  // ASCII: everything else is escaped.
  const nb::object text =
      nb::steal(PyUnicode_DecodeASCII(line.data(), static_cast<Py_ssize_t>(line.size()), nullptr));
  const nb::object name = nb::steal(PyUnicode_InternFromString("info"));
  nb::object done;
  if (text.is_valid() && name.is_valid()) {
    done = nb::steal(PyObject_CallMethodOneArg(logger_.ptr(), name.ptr(), text.ptr()));
  }
  if (!done.is_valid()) PyErr_WriteUnraisable(logger_.ptr());
}

void LoggerLines::report() noexcept {
  log(LogLevel::kWarning, "the access log lost " + std::to_string(std::exchange(dropped_, 0)) +
                              " line(s): more came at once than its buffer holds");
}

}  // namespace tercel::python
