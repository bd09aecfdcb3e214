// The audit log of a gateway on its way to a file or to standard output: one LogFile for each loop
// of a server.
//
// Resource: outlives the requests of its server. Thread: one that holds the interpreter lock, but
// for reopen(). Tested by tests/python/test_s3_audit.py.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "python/asgi/door.h"
#include "tercel/edge/line_gate.h"
#include "tercel/edge/log_file.h"
#include "tercel/net/loop.h"

namespace tercel::python::s3 {

class AuditFiles {
 public:
  // `path`: "-" is standard output, an empty one nothing. `commons` is null where there is one
  // process.
  AuditFiles(std::string path, asgi::Commons* commons);
  AuditFiles(const AuditFiles&) = delete;
  AuditFiles& operator=(const AuditFiles&) = delete;

  // For the next loop, which outlives it; null: there is no audit log. Throws ValueError when it
  // cannot be opened.
  [[nodiscard]] std::unique_ptr<edge::LineBuffer> open(net::Loop& loop);
  // REQUIRES, both: what open() returned lives.
  void reopen() noexcept;
  void flush() noexcept;

 private:
  const std::string path_;
  asgi::Commons* const commons_;
  std::shared_ptr<edge::LineGate> gate_;
  std::vector<edge::LogFile*> files_;
};

}  // namespace tercel::python::s3
