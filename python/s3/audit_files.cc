#include "python/s3/audit_files.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace tercel::python::s3 {

AuditFiles::AuditFiles(std::string path, asgi::Commons* commons)
    : path_{std::move(path)},
      commons_{commons},
      gate_{commons != nullptr ? commons->gate(path_) : std::make_shared<edge::LineGate>()} {}

std::unique_ptr<edge::LineBuffer> AuditFiles::open(net::Loop& loop) {
  if (path_.empty()) return nullptr;
  const void* const who = commons_ != nullptr ? commons_->name(files_.size()) : &loop;
  edge::LineGate* const gate = who != nullptr ? gate_.get() : nullptr;
  auto file = path_ == "-" ? edge::LogFile::share(loop, STDOUT_FILENO, gate, who)
                           : edge::LogFile::append_to(loop, path_.c_str(), gate, who);
  if (!file) {
    const std::string reason = file.error() == Errc::kNoMemory
                                   ? "memory is exhausted"
                                   : std::system_category().message(errno);
    const std::string what = path_ == "-" ? "standard output" : path_;
    throw nb::value_error(("The audit log cannot be written to " + what + ": " + reason).c_str());
  }
  (*file)->set_name("audit log");
  files_.push_back(file->get());
  return *std::move(file);
}

void AuditFiles::reopen() noexcept {
  for (edge::LogFile* const file : files_) file->ask_to_reopen();
}

void AuditFiles::flush() noexcept {
  // Twice: a file may have to wait for one that has begun a line.
  for (int round = 0; round < 2; ++round) {
    for (edge::LogFile* const file : files_) file->flush();
  }
}

}  // namespace tercel::python::s3
