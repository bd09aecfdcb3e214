#include "python/logger_lines.h"

#include <string>

#include "python/gil.h"
#include "tercel/base/log.h"

namespace nb = nanobind;

namespace tercel::python {

void LoggerLines::on_lines(std::string_view lines, std::uint64_t lost) noexcept {
  const nb::gil_scoped_acquire gil;
  if (lost > 0) {
    log(LogLevel::kWarning, "the access log lost " + std::to_string(lost) +
                                " line(s): more came at once than its buffer holds");
  }
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    hand_over(lines.substr(0, end));
    lines.remove_prefix(end + 1);
  }
}

// A logger that raises must not stop the server, nor the lines that follow.
void LoggerLines::hand_over(std::string_view line) noexcept {
  // ASCII: everything else is escaped.
  const nb::object text =
      nb::steal(PyUnicode_DecodeASCII(line.data(), static_cast<Py_ssize_t>(line.size()), nullptr));
  const nb::object name = nb::steal(PyUnicode_InternFromString("info"));
  nb::object done;
  if (text.is_valid() && name.is_valid()) {
    done = nb::steal(entering_python(
        [&] { return PyObject_CallMethodOneArg(logger_.ptr(), name.ptr(), text.ptr()); }));
  }
  if (!done.is_valid()) PyErr_WriteUnraisable(logger_.ptr());
}

}  // namespace tercel::python
