#include "tercel/edge/access_log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "tercel/edge/hidden_values.h"

namespace tercel::edge {
namespace {

// Length of a value that is not there.
constexpr std::uint16_t kMissing = 0xFFFF;
// Beside the length of one that was longer.
constexpr std::uint16_t kWasCut = 0x8000;
static_assert(AccessLog::kValueBytesMax < kWasCut - 1);
constexpr std::string_view kCut = "...";

// A value in pieces: a request line is not in one place.
class Pieces {
 public:
  Pieces() noexcept = default;  // Missing.
  template <typename... Views>
  explicit Pieces(Views... views) noexcept
      : pieces_{views...}, missing_{false}, bytes_{(views.size() + ...)} {}

  [[nodiscard]] bool missing() const noexcept { return missing_; }
  // Bytes kept: one more than is shown tells that there were more.
  [[nodiscard]] std::size_t kept_bytes() const noexcept {
    return std::min(bytes_, AccessLog::kValueBytesMax + 1);
  }
  void copy_to(char* at) const noexcept {
    std::size_t room = kept_bytes();
    for (const std::string_view piece : pieces_) {
      const std::size_t bytes = std::min(piece.size(), room);
      at = std::copy_n(piece.data(), bytes, at);
      room -= bytes;
    }
  }

 private:
  std::array<std::string_view, 5> pieces_{};
  bool missing_ = true;
  std::size_t bytes_ = 0;
};

std::string_view protocol_of(http::Version version) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"HTTP/1.0", "HTTP/1.1", "HTTP/2"};
  return kNames[static_cast<std::size_t>(version)];
}

std::string_view outcome_name(http::Outcome outcome) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"complete", "client-gone", "aborted"};
  return kNames[static_cast<std::size_t>(outcome)];
}

bool is_duration(Atom atom) noexcept {
  return atom == Atom::kMicroseconds || atom == Atom::kMilliseconds || atom == Atom::kSeconds;
}

// Where the query of the request may be, or that of a page which is the URL of another one.
bool has_query(const LogFormat::Part& part) noexcept {
  return part.atom == Atom::kRequestLine || part.atom == Atom::kTarget ||
         part.atom == Atom::kQuery || (part.atom == Atom::kHeader && part.text == "referer");
}

constexpr std::size_t kNameBytesMax = 32;  // Of an outcome or an error, with its quotes.
#define TERCEL_FITS(name, blame, status, text) static_assert(sizeof(#name) <= kNameBytesMax);
TERCEL_ERRORS(TERCEL_FITS)  // The "k" and the zero byte take the places of the quotes.
#undef TERCEL_FITS

// Room for an atom that does not depend on the request.
std::size_t room_of(const LogFormat::Part& part) noexcept {
  if (is_of_request(part.atom)) return 0;
  if (part.atom == Atom::kLiteral) return part.text.size();
  return std::max(kNameBytesMax, LogLine::kNumberBytesMax + 1);  // A number may have a point.
}

}  // namespace

// Lies at the start of its own block; the values follow, each behind its length.
struct AccessLog::Record {
  Block self;
  std::size_t kept_bytes;
  std::size_t line_room;
  std::chrono::nanoseconds start;  // 0 unless the format has a duration.
};

// What is known of a request before its response. Those that were refused for their head have no
// Request.
class AccessLog::Values {
 public:
  Values(const http::Request& request, const http::Endpoints& ends, const LogTime& time) noexcept
      : request_{&request},
        head_{request.method, request.target, request.version},
        ends_{ends},
        client_{request.client != nullptr ? *request.client : ends.peer},
        time_{time} {}
  Values(const http::PartialHead& head, const http::Endpoints& ends, const LogTime& time) noexcept
      : head_{head}, ends_{ends}, client_{ends.peer}, time_{time} {}

  [[nodiscard]] Pieces of(const LogFormat::Part& part) const noexcept {
    switch (part.atom) {
      case Atom::kClientHost:
        return host(client_);
      case Atom::kClientPort:
        return port(client_);
      case Atom::kLocalHost:
        return host(ends_.local);
      case Atom::kLocalPort:
        return port(ends_.local);
      case Atom::kTimeCommon:
        return Pieces{time_.common()};
      case Atom::kTimeIso:
        return Pieces{time_.iso()};
      case Atom::kTimeUnix:
        return number(static_cast<std::uint64_t>(time_.unix_time().count()));
      case Atom::kRequestLine:
        return request_line();
      case Atom::kMethod:
        return known(head_.method);
      case Atom::kTarget:
        return known(head_.target);
      case Atom::kProtocol:
        return head_.version ? Pieces{protocol_of(*head_.version)} : Pieces{};
      default:
        return request_ != nullptr ? of_request(part) : Pieces{};
    }
  }

 private:
  [[nodiscard]] Pieces of_request(const LogFormat::Part& part) const noexcept {
    switch (part.atom) {
      case Atom::kPath:
        return Pieces{request_->path};
      case Atom::kQuery:
        if (request_->query.empty()) return Pieces{std::string_view{}};
        return Pieces{std::string_view{"?"}, request_->query};
      case Atom::kAuthority:
        return request_->authority.empty() ? Pieces{} : Pieces{request_->authority};
      default:
        return field(part.text);
    }
  }

  [[nodiscard]] static Pieces known(std::string_view text) noexcept {
    return text.empty() ? Pieces{} : Pieces{text};
  }

  // What is not known of it is "-", and the whole of it if nothing is.
  [[nodiscard]] Pieces request_line() const noexcept {
    constexpr std::string_view kSpace = " ";
    constexpr std::string_view kUnknown = "-";
    if (head_.method.empty()) return {};
    return Pieces{head_.method, kSpace, head_.target.empty() ? kUnknown : head_.target, kSpace,
                  head_.version ? protocol_of(*head_.version) : kUnknown};
  }

  [[nodiscard]] Pieces field(std::string_view name) const noexcept {
    for (const http::Field& field : request_->fields) {
      if (field.name == name) return Pieces{field.value};
    }
    return {};
  }

  [[nodiscard]] Pieces host(const Address& address) const noexcept {
    if (address.kind == AddressKind::kUnix) return Pieces{std::string_view{"unix:"}};
    if (address.kind == AddressKind::kNone) return {};
    return Pieces{address.host(host_)};
  }

  [[nodiscard]] Pieces port(const Address& address) const noexcept {
    const bool has_port = address.kind == AddressKind::kIpv4 || address.kind == AddressKind::kIpv6;
    return has_port ? number(address.port) : Pieces{};
  }

  [[nodiscard]] Pieces number(std::uint64_t number) const noexcept {
    const auto end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr;
    return Pieces{std::string_view{digits_.data(), end}};
  }

  const http::Request* request_ = nullptr;
  const http::PartialHead head_;
  const http::Endpoints& ends_;
  const Address& client_;
  const LogTime& time_;
  // Of the value that of() returned last.
  mutable std::array<char, Address::kHostBytesMax> host_{};
  mutable std::array<char, LogLine::kNumberBytesMax> digits_{};
};

AccessLog::AccessLog(net::Loop& loop, LineBuffer& lines, LogFormat format, LogClocks clocks,
                     std::span<const std::string_view> hidden)
    : loop_{loop},
      lines_{lines},
      format_{std::move(format)},
      clocks_{clocks},
      hidden_{hidden},
      process_{static_cast<std::uint64_t>(::getpid())} {
  for (const LogFormat::Part& part : format_.parts()) {
    fixed_room_ += room_of(part);
    needs_duration_ |= is_duration(part.atom);
  }
}

http::Recorder::Token AccessLog::on_request(const http::Request& request,
                                            const http::Endpoints& ends,
                                            std::chrono::nanoseconds waited) noexcept {
  time_.update(std::chrono::floor<std::chrono::seconds>(clocks_.wall.now() - waited));
  return keep(Values{request, ends, time_}, waited);
}

http::Recorder::Token AccessLog::on_refused(const http::PartialHead& head,
                                            const http::Endpoints& ends) noexcept {
  time_.update(std::chrono::floor<std::chrono::seconds>(clocks_.wall.now()));
  return keep(Values{head, ends, time_}, std::chrono::nanoseconds{0});
}

// Measures first, so that one block of the right size is taken.
http::Recorder::Token AccessLog::keep(const Values& values,
                                      std::chrono::nanoseconds waited) noexcept {
  std::size_t kept_bytes = 0;
  std::size_t line_room = fixed_room_ + 1;  // The end of the line.
  for (const LogFormat::Part& part : format_.parts()) {
    if (!is_of_request(part.atom)) continue;
    const std::size_t bytes = values.of(part).kept_bytes();
    kept_bytes += sizeof(std::uint16_t) + bytes;
    line_room += escaped_room(bytes) + kCut.size();
  }
  Block block = loop_.blocks().take(sizeof(Record) + kept_bytes);
  if (!block) {
    lines_.drop();
    return nullptr;
  }
  char* at = block.data() + sizeof(Record);
  for (const LogFormat::Part& part : format_.parts()) {
    if (!is_of_request(part.atom)) continue;
    const Pieces value = values.of(part);
    std::size_t bytes = value.kept_bytes();
    const bool cut = bytes > kValueBytesMax;
    value.copy_to(at + sizeof(std::uint16_t));
    if (!hidden_.empty() && has_query(part)) {
      bytes = hide_values({at + sizeof(std::uint16_t), bytes}, hidden_);
    }
    bytes = std::min(bytes, kValueBytesMax);
    const auto length =
        value.missing() ? kMissing : static_cast<std::uint16_t>(bytes | (cut ? kWasCut : 0U));
    std::memcpy(at, &length, sizeof length);
    at += sizeof length + bytes;
  }
  char* const start = block.data();
  const std::chrono::nanoseconds began =
      needs_duration_ ? clocks_.steady.now() - waited : std::chrono::nanoseconds{0};
  return new (start) Record{std::move(block), kept_bytes, line_room, began};
}

void AccessLog::on_response(Token token, const http::Summary& summary) noexcept {
  if (token == nullptr) return;
  auto* record = static_cast<Record*>(token);
  // The block that the record lies in: returned when this function does.
  const Block block = std::move(record->self);
  std::string_view kept{block.data() + sizeof(Record), record->kept_bytes};
  const auto room = lines_.room(record->line_room);
  if (room.empty()) return;
  const std::uint64_t microseconds = needs_duration_ ? microseconds_since(record->start) : 0;
  LogLine line{room};
  for (const LogFormat::Part& part : format_.parts()) {
    if (is_of_request(part.atom)) {
      put_kept(line, part, kept);
    } else {
      put_result(line, part, summary, microseconds);
    }
  }
  line.put('\n');
  lines_.commit(line.size());
}

// Takes the first value off `kept`.
void AccessLog::put_kept(LogLine& line, const LogFormat::Part& part,
                         std::string_view& kept) const noexcept {
  std::uint16_t length = 0;
  std::memcpy(&length, kept.data(), sizeof length);
  kept.remove_prefix(sizeof length);
  if (length == kMissing) return put_missing(line);
  const bool cut = (length & kWasCut) != 0;
  const std::string_view value = kept.substr(0, length & (kWasCut - 1U));
  kept.remove_prefix(value.size());
  if (!is_text(part.atom)) return line.put(value);
  line.put_escaped(value, format_.escape());
  if (cut && format_.escape() == Escape::kText) line.put(kCut);
}

std::uint64_t AccessLog::microseconds_since(std::chrono::nanoseconds start) const noexcept {
  const auto time = std::max(clocks_.steady.now() - start, std::chrono::nanoseconds{0});
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

void AccessLog::put_result(LogLine& line, const LogFormat::Part& part, const http::Summary& summary,
                           std::uint64_t microseconds) const noexcept {
  switch (part.atom) {
    case Atom::kStatus:
      if (summary.status != 0) return line.put_number(summary.status);
      if (summary.outcome == http::Outcome::kPeerGone) return line.put_number(kClientGoneStatus);
      return put_missing(line);
    case Atom::kBytesOrDash:
      return summary.body_bytes == 0 ? put_missing(line) : line.put_number(summary.body_bytes);
    case Atom::kBytes:
      return line.put_number(summary.body_bytes);
    case Atom::kMicroseconds:
      return line.put_number(microseconds);
    case Atom::kMilliseconds:
      return line.put_decimal(microseconds, 3);
    case Atom::kSeconds:
      return line.put_decimal(microseconds, 6);
    case Atom::kOutcome:
      return put_name(line, outcome_name(summary.outcome));
    case Atom::kError:
      return summary.error ? put_name(line, info(*summary.error).name) : put_missing(line);
    case Atom::kProcess:
      return line.put_number(process_);
    case Atom::kLiteral:
      return line.put(part.text);
    default:
      return put_missing(line);
  }
}

void AccessLog::put_name(LogLine& line, std::string_view name) const noexcept {
  if (format_.escape() == Escape::kText) return line.put(name);
  line.put('"');
  line.put(name);
  line.put('"');
}

void AccessLog::put_missing(LogLine& line) const noexcept {
  line.put(format_.escape() == Escape::kText ? std::string_view{"-"} : std::string_view{"null"});
}

}  // namespace tercel::edge
