#include "python/request_log.h"

#include <unistd.h>

#include <string>
#include <utility>

#include <nanobind/stl/string_view.h>

#include "python/errors.h"
#include "tercel/edge/log_file.h"

namespace nb = nanobind;

namespace tercel::python {
namespace {

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

RequestLog::RequestLog(server::Service& service, net::Loop& loop, const config::Settings& settings,
                       nb::object logger, PyShared* shared,
                       std::span<const std::string_view> hidden)
    : gate_{shared != nullptr ? shared->gate(settings.access_log_file)
                              : std::make_shared<edge::LineGate>()} {
  std::string problem;
  const auto format = edge::LogFormat::parse(settings.access_log_format, problem);
  if (!format) throw nb::value_error(("access-log-format " + problem).c_str());
  if (!logger.is_none()) {
    logger_lines_ = std::make_unique<LoggerLines>(std::move(logger));
    inbox_ = or_throw(edge::LineInbox::create(loop, *logger_lines_));
  }
  for (std::size_t i = 0; i < service.loops(); ++i) {
    OfLoop& own = loops_.emplace_back(OfLoop{.is_ours = &service.loop(i) == &loop});
    const void* who = &service.loop(i);
    if (shared != nullptr) who = shared->counters(i);
    open(own, service.loop(i), settings, who);
    own.log = std::make_unique<edge::AccessLog>(service.loop(i), *own.lines, *format,
                                                edge::LogClocks{steady_, wall_}, hidden);
  }
  for (std::size_t i = 0; i < loops_.size(); ++i) service.record(i, loops_[i].log.get());
}

RequestLog::~RequestLog() {
  flush();
}

void RequestLog::open(OfLoop& own, net::Loop& loop, const config::Settings& settings,
                      const void* who) {
  if (inbox_ != nullptr) {
    own.lines = std::make_unique<edge::LineRelay>(loop, *inbox_);
    return;
  }
  const std::string& path = settings.access_log_file;
  edge::LineGate* const gate = who != nullptr ? gate_.get() : nullptr;
  std::unique_ptr<edge::LogFile> file =
      or_throw(path == "-" ? edge::LogFile::share(loop, STDOUT_FILENO, gate, who)
                           : edge::LogFile::append_to(loop, path.c_str(), gate, who));
  own.file = file.get();
  own.lines = std::move(file);
}

void RequestLog::flush() noexcept {
  // Twice: a relay may have to wait for a page, and a file for one that has begun a line.
  for (int round = 0; round < 2; ++round) {
    if (inbox_ != nullptr) inbox_->read_all();
    for (const OfLoop& each : loops_) each.lines->flush();
  }
  if (inbox_ != nullptr) inbox_->read_all();
}

void RequestLog::reopen() noexcept {
  for (const OfLoop& each : loops_) {
    if (each.file == nullptr) continue;
    if (each.is_ours) {
      each.file->reopen();
    } else {
      each.file->ask_to_reopen();
    }
  }
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
