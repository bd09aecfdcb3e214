#include "python/request_log.h"

#include <unistd.h>

#include <string>
#include <utility>

#include <nanobind/stl/string_view.h>

#include "python/errors.h"

namespace nb = nanobind;

namespace tercel::python {
namespace {

std::unique_ptr<edge::LogFile> open_file(net::Loop& loop, const std::string& path) {
  Gil gil = Gil::assume_held();
  return or_throw(gil, path == "-" ? edge::LogFile::share(loop, STDOUT_FILENO)
                                   : edge::LogFile::append_to(loop, path.c_str()));
}

nb::list access_log_atoms() {
  nb::list rows;
  for (const edge::AtomRow& row : edge::atom_table()) {
    rows.append(nb::make_tuple(row.spelling, row.meaning));
  }
  return rows;
}

nb::list access_log_formats() {
  nb::list rows;
  for (const edge::NamedFormat& named : edge::named_formats()) {
    rows.append(nb::make_tuple(named.name, named.format));
  }
  return rows;
}

}  // namespace

RequestLog::RequestLog(net::Loop& loop, const config::Settings& settings, nb::object logger) {
  std::string problem;
  auto format = edge::LogFormat::parse(settings.access_log_format, problem);
  if (!format) throw nb::value_error(("access-log-format " + problem).c_str());
  edge::LineBuffer& to = lines(loop, settings, std::move(logger));
  log_ = std::make_unique<edge::AccessLog>(loop, to, *std::move(format),
                                           edge::LogClocks{steady_, wall_});
}

void RequestLog::flush() noexcept {
  if (file_ != nullptr) file_->flush();
  if (logger_lines_ != nullptr) logger_lines_->flush();
}

void RequestLog::reopen() noexcept {
  if (file_ != nullptr) file_->reopen();
}

edge::LineBuffer& RequestLog::lines(net::Loop& loop, const config::Settings& settings,
                                    nb::object logger) {
  if (!logger.is_none()) {
    logger_lines_ = std::make_unique<LoggerLines>(loop, std::move(logger));
    return *logger_lines_;
  }
  file_ = open_file(loop, settings.access_log_file);
  return *file_;
}

void bind_request_log(nb::module_& module);

void bind_request_log(nb::module_& module) {
  module.def("access_log_atoms", &access_log_atoms,
             nb::sig("def access_log_atoms() -> list[tuple[str, str]]"),
             "How each atom of a format string is written, and what it stands for.");
  module.def("access_log_formats", &access_log_formats,
             nb::sig("def access_log_formats() -> list[tuple[str, str]]"),
             "The formats that have a name, and their format strings.");
}

}  // namespace tercel::python
