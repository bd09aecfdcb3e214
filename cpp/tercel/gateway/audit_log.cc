#include "tercel/gateway/audit_log.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "tercel/base/block_pool.h"
#include "tercel/edge/log_line.h"

namespace tercel::gateway {
namespace {

using edge::LogLine;
using std::chrono::nanoseconds;

// What is copied of the request, in the order of the line.
enum Kept : std::uint8_t { kAccessKey, kSourceIp, kMethod, kPath, kBucket, kKey, kSource, kKeeps };

constexpr std::array<std::string_view, kKeeps> kNames{
    "access_key", "source_ip", "method", "path", "bucket", "key", "copy_source"};

// The names of all members, numbers and fixed texts, with room to spare; checked by the test with
// the longest line there is.
constexpr std::size_t kFixedBytes = 1024;

// Of a text that is cut, without half a character at its end.
std::string_view cut(std::string_view text) noexcept {
  if (text.size() <= AuditLog::kValueBytesMax) return text;
  std::size_t bytes = AuditLog::kValueBytesMax;
  const auto continues = [text](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80;
  };
  constexpr std::size_t kCharacterBytesMax = 4;
  const std::size_t least = bytes - (kCharacterBytesMax - 1);
  while (bytes > least && continues(bytes)) --bytes;
  return text.substr(0, bytes);
}

std::string_view outcome_name(const AuditLog::End& end) noexcept {
  if (end.outcome == http::Outcome::kComplete) return "complete";
  if (end.backend_broke_off) return "backend-failed";
  return end.outcome == http::Outcome::kPeerGone ? "client-gone" : "aborted";
}

// Members of the one object that a line is.
class Members {
 public:
  explicit Members(LogLine& line) noexcept : line_{line} { line_.put('{'); }

  void text(std::string_view name, std::string_view value) noexcept {
    key(name);
    line_.put_utf8(cut(value));
  }
  void text_or_null(std::string_view name, std::string_view value) noexcept {
    value.empty() ? null(name) : text(name, value);
  }
  void number(std::string_view name, std::uint64_t value) noexcept {
    key(name);
    line_.put_number(value);
  }
  void flag(std::string_view name, bool value) noexcept {
    key(name);
    line_.put(value ? std::string_view{"true"} : std::string_view{"false"});
  }
  void null(std::string_view name) noexcept {
    key(name);
    line_.put(std::string_view{"null"});
  }
  void milliseconds(std::string_view name, nanoseconds time) noexcept {
    key(name);
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    line_.put_decimal(static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0)), 3);
  }
  void key(std::string_view name) noexcept {
    if (std::exchange(first_, false) == false) line_.put(',');
    line_.put('"');
    line_.put(name);
    line_.put(std::string_view{"\":"});
  }

 private:
  LogLine& line_;
  bool first_ = true;
};

}  // namespace

// Lies at the start of its own block, before the texts.
class AuditLog::Record {
 public:
  Block self;
  nanoseconds wall{0};
  nanoseconds began{0};
  nanoseconds departed{0};  // 0: it did not.
  nanoseconds arrived{0};
  std::string_view operation;
  std::array<std::string_view, kKeeps> texts;
  std::array<bool, kKeeps> is_cut{};
  bool presigned = false;
  std::uint8_t request_id_bytes = 0;
  std::array<char, kRequestIdBytesMax> request_id;
};

AuditLog::Record* AuditLog::open(const http::Request& request, const Arrival& arrival,
                                 Read read) noexcept {
  std::array<std::string_view, kKeeps> texts;
  std::array<char, Address::kHostBytesMax> ip;
  const bool read_any = read != Read::kNot;
  if (read_any) texts[kAccessKey] = arrival.claim.access_key;
  if (request.client != nullptr) texts[kSourceIp] = request.client->host(ip);
  texts[kMethod] = request.method;
  if (read != Read::kWhole) texts[kPath] = request.path;
  if (read_any) {
    texts[kBucket] = arrival.resource.bucket;
    texts[kKey] = arrival.resource.key;
    texts[kSource] = arrival.copied();
  }
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += cut(text).size();
  Block block = loop_.blocks().take(sizeof(Record) + bytes);
  if (!block) {
    lines_.drop();
    return nullptr;
  }
  char* at = block.data() + sizeof(Record);
  auto* const record = new (block.data()) Record{};
  record->self = std::move(block);
  for (std::size_t i = 0; i < kKeeps; ++i) {
    const std::string_view text = cut(texts[i]);
    record->is_cut[i] = text.size() < texts[i].size();
    record->texts[i] = {at, text.size()};
    at = std::ranges::copy(text, at).out;
  }
  if (read_any && arrival.operation.operation != s3::Operation::kUnknown) {
    record->operation = s3::info(arrival.operation.operation).name;
  }
  record->presigned = read_any && arrival.claim.mechanism == s3::Mechanism::kPresigned;
  record->wall = clocks_.wall.now();
  record->began = clocks_.steady.now();
  return record;
}

void AuditLog::on_departure(Record* record) const noexcept {
  if (record != nullptr) record->departed = clocks_.steady.now();
}

void AuditLog::on_arrival(Record* record, std::string_view request_id) const noexcept {
  if (record == nullptr) return;
  record->arrived = clocks_.steady.now();
  request_id = request_id.substr(0, kRequestIdBytesMax);
  std::ranges::copy(request_id, record->request_id.begin());
  record->request_id_bytes = static_cast<std::uint8_t>(request_id.size());
}

void AuditLog::close(Record* record, const End& end) noexcept {
  if (record == nullptr) return;
  // The block that the record lies in: returned when this function does.
  const Block block = std::move(record->self);
  std::size_t most = kFixedBytes + edge::escaped_room(kRequestIdBytesMax);
  for (const std::string_view text : record->texts) most += edge::escaped_room(text.size());
  for (const std::string_view text :
       {end.reason, end.rule, end.identity.value_or(""), end.backend_error}) {
    most += edge::escaped_room(cut(text).size());
  }
  const auto room = lines_.room(most);
  if (room.empty()) return;
  const auto& texts = record->texts;
  const nanoseconds now = clocks_.steady.now();

  LogLine line{room};
  Members members{line};
  members.text("time", time_.text(record->wall));
  const std::string_view theirs{record->request_id.data(), record->request_id_bytes};
  // An answer that was made here does not have that of the backend.
  members.text("request_id", theirs.empty() || end.error ? end.request_id : theirs);
  end.identity ? members.text("identity", *end.identity) : members.null("identity");
  members.text_or_null("access_key", texts[kAccessKey]);
  members.text_or_null("source_ip", texts[kSourceIp]);
  members.text_or_null("method", texts[kMethod]);
  members.text_or_null("operation", record->operation);
  members.text_or_null("bucket", texts[kBucket]);
  members.text_or_null("key", texts[kKey]);
  members.text_or_null("copy_source", texts[kSource]);
  if (!texts[kPath].empty()) members.text("path", texts[kPath]);
  if (std::ranges::find(record->is_cut, true) != record->is_cut.end()) {
    members.key("cut");
    char before = '[';
    for (std::size_t i = 0; i < kKeeps; ++i) {
      if (!record->is_cut[i]) continue;
      line.put(std::exchange(before, ','));
      line.put_utf8(kNames[i]);
    }
    line.put(']');
  }
  members.flag("presigned", record->presigned);
  end.allowed ? members.flag("allowed", *end.allowed) : members.null("allowed");
  members.text_or_null("reason", end.reason);
  members.text_or_null("backend", end.rule);
  members.number("attempts", end.attempts);
  if (end.traffic.status != 0) {
    members.number("status", end.traffic.status);
  } else if (end.outcome == http::Outcome::kPeerGone) {
    members.number("status", kClientGoneStatus);
  } else {
    members.null("status");
  }
  members.text_or_null("error", end.error ? s3::info(*end.error).code : end.backend_error);
  members.number("bytes_in", end.traffic.request_bytes);
  members.number("bytes_out", end.traffic.response_bytes);
  members.milliseconds("total_ms", now - record->began);
  if (record->departed == nanoseconds{0}) {
    members.null("upstream_ms");
  } else {
    const bool came = record->arrived != nanoseconds{0};
    members.milliseconds("upstream_ms", (came ? record->arrived : now) - record->departed);
  }
  members.text("outcome", outcome_name(end));
  line.put(std::string_view{"}\n"});
  lines_.commit(line.size());
}

}  // namespace tercel::gateway
