#include "tercel/http/h1_head.h"

#include <algorithm>
#include <cstring>

#include "tercel/base/percent.h"
#include "tercel/http/chars.h"
#include "tercel/http/h1_field.h"
#include "tercel/http/h1_known_fields.h"
#include "tercel/http/scan.h"
#include "tercel/http/url.h"

namespace tercel::http {
namespace {

// Longer than any that IANA lists. Source: RFC 9112 section 3, which wants 501 beyond.
constexpr std::ptrdiff_t kMethodBytesMax = 32;
constexpr std::string_view kWebSocket = "websocket";
// "HTTP/1.1" and CRLF.
constexpr std::ptrdiff_t kVersionBytes = 8;

bool begins_with(const char* at, const char (&literal)[5]) noexcept {
  return std::memcmp(at, literal, 4) == 0;
}

// Reads a head from its first byte to its last. Each step says kBad as soon as the bytes so far
// cannot begin a good head, and for the same reason whatever follows them.
class HeadParser {
 public:
  HeadParser(std::span<char> bytes, const Limits& limits, HeadBuffer& fields,
             HeadResult& result) noexcept
      : begin_{bytes.data()},
        end_{bytes.data() + bytes.size()},
        limits_{limits},
        fields_{fields.fields.data()},
        result_{result},
        request_{result.request} {}

  Piece parse() noexcept;

 private:
  Parsed bad(Errc error) noexcept {
    result_.error = error;
    return stopped(Piece::kBad);
  }
  Parsed skip_empty_line(char* at) noexcept;
  Parsed parse_method(char* at) noexcept;
  Parsed parse_target(char* at) noexcept;
  Parsed pass_target_mark(char* at, const char* end) noexcept;
  Parsed parse_version(char* at) noexcept;
  Parsed parse_fields(char* at) noexcept;
  bool split_target() noexcept;
  bool finish() noexcept;

  char* const begin_;
  char* const end_;
  const Limits& limits_;
  Field* const fields_;
  HeadResult& result_;
  Request& request_;
  const char* question_mark_ = nullptr;
  KnownFields known_;
};

Piece HeadParser::parse() noexcept {
  Parsed here = skip_empty_line(begin_);
  if (here.piece == Piece::kDone) here = parse_method(here.next);
  if (here.piece == Piece::kDone) here = parse_target(here.next);
  if (here.piece == Piece::kDone) here = parse_version(here.next);
  result_.line_known = here.piece == Piece::kDone;
  // The version first: the preface of HTTP/2, "PRI * HTTP/2.0", is a version we do not speak here.
  if (here.piece == Piece::kDone && !split_target()) here = bad(Errc::kBadTarget);
  if (here.piece == Piece::kDone) here = parse_fields(here.next);
  if (here.piece == Piece::kDone && !finish()) here = bad(Errc::kBadHost);
  if (here.piece == Piece::kDone) result_.bytes = static_cast<std::size_t>(here.next - begin_);
  return here.piece;
}

// RFC 9112 section 2.2: some clients send a line end behind the body of the request before.
Parsed HeadParser::skip_empty_line(char* at) noexcept {
  if (at == end_) return stopped(Piece::kNeedMore);
  if (*at != '\r') return {at, Piece::kDone};
  const Parsed line = parse_line_end(at, end_);
  return line.piece == Piece::kBad ? bad(Errc::kBadRequestLine) : line;
}

// To behind the space that follows.
Parsed HeadParser::parse_method(char* at) noexcept {
  char* const method = at;
  if (end_ - at >= 4 && begins_with(at, "GET ")) {
    request_.method = {method, 3};
    return {at + 4, Piece::kDone};
  }
  char* const limit = method + std::min(end_ - method, kMethodBytesMax + 1);
  bool lower = false;
  while (at != limit && kToken.has(*at)) lower |= is_lower(*at++);
  if (at - method > kMethodBytesMax) return bad(Errc::kBadMethod);
  if (at == end_) return stopped(Piece::kNeedMore);
  if (*at != ' ' || at == method) return bad(Errc::kBadRequestLine);

  request_.method = {method, static_cast<std::size_t>(at - method)};
  // Methods are case-sensitive. CONNECT asks for a tunnel; TRACE echoes what a proxy or a script
  // should not see (RFC 9110 section 9.3.8).
  if (lower || request_.method == "CONNECT" || request_.method == "TRACE") {
    return bad(Errc::kBadMethod);
  }
  return {at + 1, Piece::kDone};
}

// Two hexadecimal digits behind the '%' at `at`.
Piece check_escape(const char* at, const char* end) noexcept {
  for (int i = 1; i <= 2; ++i) {
    if (at + i == end) return Piece::kNeedMore;
    if (hex_value(at[i]) < 0) return Piece::kBad;
  }
  return Piece::kDone;
}

// Behind the mark at `at`: a query, an escape, or a byte that no target has.
Parsed HeadParser::pass_target_mark(char* at, const char* end) noexcept {
  if (*at == '?') {
    if (question_mark_ == nullptr) question_mark_ = at;
    return {at + 1, Piece::kDone};
  }
  if (*at == '%') {
    const Piece escape = check_escape(at, end);
    if (escape == Piece::kDone) return {at + 3, Piece::kDone};
    return escape == Piece::kBad ? bad(Errc::kBadTarget) : stopped(escape);
  }
  const bool line_ends = *at == '\r' || *at == '\n';
  return bad(line_ends ? Errc::kBadRequestLine : Errc::kBadTarget);
}

// To behind the space that follows. The characters are checked here, the form in split_target().
Parsed HeadParser::parse_target(char* at) noexcept {
  char* const target = at;
  const bool bounded = static_cast<std::size_t>(end_ - target) > limits_.target_bytes_max;
  char* const limit = bounded ? target + limits_.target_bytes_max + 1 : end_;
  for (;;) {
    at += scan::find<scan::TargetMark>(at, limit) - at;
    if (at == limit) break;
    if (*at == ' ') {
      request_.target = {target, static_cast<std::size_t>(at - target)};
      return at == target ? bad(Errc::kBadTarget) : Parsed{at + 1, Piece::kDone};
    }
    const Parsed mark = pass_target_mark(at, limit);
    if (mark.piece == Piece::kBad) return mark;
    if (mark.piece == Piece::kNeedMore) break;
    at = mark.next;
  }
  if (!bounded) return stopped(Piece::kNeedMore);
  request_.target = {target, limits_.target_bytes_max};
  return bad(Errc::kTargetTooLong);
}

// "HTTP/" DIGIT "." DIGIT CRLF. Source: RFC 9112 section 2.3.
Parsed HeadParser::parse_version(char* at) noexcept {
  if (end_ - at >= kVersionBytes + 2 && begins_with(at, "HTTP") && begins_with(at + 4, "/1.1") &&
      at[8] == '\r' && at[9] == '\n') {
    request_.version = Version::kHttp11;
    return {at + kVersionBytes + 2, Piece::kDone};
  }
  constexpr std::string_view kForm = "HTTP/0.0";
  const char* const version = at;
  for (const char form : kForm) {
    if (at == end_) return stopped(Piece::kNeedMore);
    if (form == '0' ? !is_digit(*at) : *at != form) return bad(Errc::kBadRequestLine);
    ++at;
  }
  const Parsed line = parse_line_end(at, end_);
  if (line.piece == Piece::kBad) return bad(Errc::kBadRequestLine);
  if (line.piece == Piece::kNeedMore) return line;
  if (version[5] != '1') return bad(Errc::kBadVersion);
  // RFC 9110 section 2.5: a higher minor version is served as the highest we know.
  request_.version = version[7] == '0' ? Version::kHttp10 : Version::kHttp11;
  return line;
}

// Source: RFC 9112 section 3.2.
bool HeadParser::split_target() noexcept {
  const std::string_view target = request_.target;
  request_.path = target;
  if (question_mark_ != nullptr) {
    const auto path_bytes = static_cast<std::size_t>(question_mark_ - target.data());
    request_.path = target.substr(0, path_bytes);
    request_.query = target.substr(path_bytes + 1);
  }
  if (target.front() == '/') return true;
  if (target == "*") return request_.method == "OPTIONS";

  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = target.substr(0, colon);
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) return false;
  request_.path.remove_prefix(colon + 3);
  const std::size_t slash = std::min(request_.path.find('/'), request_.path.size());
  request_.authority = request_.path.substr(0, slash);
  request_.path.remove_prefix(slash);
  if (request_.path.empty()) request_.path = "/";
  return valid_authority(request_.authority);
}

// To behind the empty line.
Parsed HeadParser::parse_fields(char* at) noexcept {
  std::size_t count = 0;
  const std::span<Field> room{fields_, std::min(limits_.fields_max, kFieldsMax)};
  const Parsed section = parse_field_lines(
      at, end_, room, count, result_.error, [this](Field& field) noexcept -> std::optional<Errc> {
        if (!may_be_known(field.name)) return {};
        const auto noted = known_.note(field, request_.version);
        return noted ? std::optional<Errc>{} : noted.error();
      });
  // The fields are told once the head is complete.
  if (section.piece == Piece::kDone) request_.fields = {fields_, count};
  return section;
}

// The rules for the head as a whole. False: there is no Host.
bool HeadParser::finish() noexcept {
  const bool http11 = request_.version == Version::kHttp11;
  if (known_.host == nullptr && http11) return false;
  if (known_.host != nullptr) {
    // RFC 9112 section 3.2.2: an absolute target overrules the Host field, for everyone.
    if (!request_.authority.empty()) known_.host->value = request_.authority;
    request_.authority = known_.host->value;
  } else if (!request_.authority.empty()) {
    const std::size_t count = request_.fields.size();
    fields_[count] = {.name = "host", .value = request_.authority};
    request_.fields = {fields_, count + 1};
  }
  request_.content_length = known_.content_length;
  request_.has_body = known_.chunked || known_.content_length.value_or(0) != 0;
  request_.accepts_trailers = known_.accepts_trailers;
  result_.framing = known_.chunked          ? Framing::kChunked
                    : known_.content_length ? Framing::kLength
                                            : Framing::kNone;
  result_.keep_alive = !known_.close && (http11 || known_.keep_alive);
  result_.expects_continue = known_.expects_continue;
  // RFC 6455 section 4.1; RFC 9110 section 7.8 lets a server ignore what else asks for an upgrade.
  const bool may_switch = http11 && request_.method == "GET" && !request_.has_body;
  if (may_switch && known_.upgrade_option && known_.websocket) request_.protocol = kWebSocket;
  return true;
}

// No line ended since the last call, so that its verdict stands; and nothing grew so long meanwhile
// that it must be judged before it ends.
bool nothing_new(std::span<const char> bytes, std::size_t previous_bytes,
                 const Limits& limits) noexcept {
  if (previous_bytes == 0 || bytes.size() >= limits.head_bytes_max) return false;
  const std::size_t line_bytes_max =
      2 + static_cast<std::size_t>(kMethodBytesMax) + limits.target_bytes_max + 2;
  if (previous_bytes < line_bytes_max && bytes.size() >= line_bytes_max) return false;
  return no_line_ended(bytes, previous_bytes);
}

}  // namespace

HeadResult parse_request_head(std::span<char> bytes, std::size_t previous_bytes,
                              const Limits& limits, HeadBuffer& fields) noexcept {
  HeadResult result{};
  Piece piece = Piece::kNeedMore;
  const std::span<char> window = bytes.first(std::min(bytes.size(), limits.head_bytes_max));
  if (!nothing_new(window, previous_bytes, limits)) {
    piece = HeadParser{window, limits, fields, result}.parse();
  }
  if (piece == Piece::kNeedMore && bytes.size() >= limits.head_bytes_max) {
    result.error = Errc::kHeadTooLarge;
    piece = Piece::kBad;
  }
  result.status = piece == Piece::kDone  ? HeadStatus::kDone
                  : piece == Piece::kBad ? HeadStatus::kBad
                                         : HeadStatus::kNeedMore;
  return result;
}

}  // namespace tercel::http
