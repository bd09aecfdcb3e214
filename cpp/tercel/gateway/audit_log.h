// The audit log: one line of JSON for each request, made without Python.
//
//   AuditLog audit_log(loop, lines, {steady, wall});        // One a loop.
//   AuditLog::Record* record = audit_log.open(request, arrival, Read::kWhole);
//   ...
//   audit_log.close(record, {.traffic = exchange.traffic(), ...});
//
// What a line needs of the request is copied when it was read, into one pooled block that is
// returned with the line: in a steady state nothing is allocated. Whatever the bytes of a request
// are, its line is one line of ASCII. No secret, no signature and no query is in it. An identity
// stands there only once its signature was right.
//
// Resource: outlives its records. Thread: the loop's. Source: docs/guide/s3.md, "Audit log". Tested
// by audit_log_test.cc and tests/python/test_s3_audit.py.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tercel/edge/access_log.h"
#include "tercel/edge/line_buffer.h"
#include "tercel/edge/log_time.h"
#include "tercel/gateway/arrival.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"
#include "tercel/net/loop.h"
#include "tercel/s3/error.h"

namespace tercel::gateway {

// How much of a request was read.
enum class Read : std::uint8_t {
  kWhole,
  kInPart,  // It is refused for its form: the line shows its path.
  kNot      // What the arrival has is of another one: the same.
};

class AuditLog {
 public:
  // Bytes of one value that are shown; the names of those that were longer are in "cut".
  static constexpr std::size_t kValueBytesMax = 1024;
  static constexpr std::size_t kRequestIdBytesMax = 64;
  // Of a client that left before its answer began.
  static constexpr std::uint16_t kClientGoneStatus = edge::AccessLog::kClientGoneStatus;

  class Record;

  // What is known at the end. Views are valid during the call.
  struct End {
    http::Outcome outcome = http::Outcome::kComplete;
    bool backend_broke_off = false;  // In the middle of its answer.
    http::Traffic traffic = {};
    std::string_view request_id = {};
    std::optional<std::string_view> identity = std::nullopt;  // Nothing: it is not certain.
    std::optional<bool> allowed = std::nullopt;               // Nothing: it was not judged.
    std::string_view reason = {};
    std::string_view rule = {};                         // Of the backend; empty: there is none.
    unsigned attempts = 0;                              // At the backend.
    std::optional<s3::ErrorCode> error = std::nullopt;  // Of an answer that was made here.
    std::string_view backend_error = {};                // The code in one of the backend's.
  };

  // All outlive it.
  AuditLog(net::Loop& loop, edge::LineBuffer& lines, edge::LogClocks clocks) noexcept
      : loop_{loop}, lines_{lines}, clocks_{clocks} {}
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // Null: memory is exhausted, and the line counts as dropped.
  [[nodiscard]] Record* open(const http::Request& request, const Arrival& arrival,
                             Read read) noexcept;
  // The request goes to its backend: once, whatever the attempts.
  void on_departure(Record* record) const noexcept;
  // The head of the backend's answer is here, with its id if it has one; or the backend failed.
  void on_arrival(Record* record, std::string_view request_id) const noexcept;
  // Writes the line, and ends the record. Of null, does nothing.
  void close(Record* record, const End& end) noexcept;

 private:
  net::Loop& loop_;
  edge::LineBuffer& lines_;
  const edge::LogClocks clocks_;
  edge::UtcTime time_;
};

}  // namespace tercel::gateway
