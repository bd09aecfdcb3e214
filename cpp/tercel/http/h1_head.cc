#include "tercel/http/h1_head.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"
#include "tercel/http/h1_field.h"
#include "tercel/http/scan.h"
#include "tercel/http/url.h"

namespace tercel::http {
namespace {

// Longer than any that IANA lists. Source: RFC 9112 section 3, which wants 501 beyond.
constexpr std::ptrdiff_t kMethodBytesMax = 32;
// "HTTP/1.1" and CRLF.
constexpr std::ptrdiff_t kVersionBytes = 8;

// 2^63 - 1 and the digits it takes.
constexpr std::uint64_t kLengthMax = INT64_MAX;
constexpr std::size_t kLengthDigitsMax = 20;

template <std::size_t N>
bool begins_with(const char* at, const char (&literal)[N]) noexcept {
  return std::memcmp(at, literal, N - 1) == 0;
}

// What the fields said so far, for the rules that span several of them.
struct Facts {
  Field* host = nullptr;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool close = false;
  bool keep_alive = false;
  bool upgrade_option = false;
  bool upgrade_field = false;
  bool expects_continue = false;
  bool accepts_trailers = false;
};

Errc judge_content_length(std::string_view value) noexcept {
  const bool digits = std::all_of(value.begin(), value.end(), is_digit);
  if (value.empty() || !digits) return Errc::kBadContentLength;
  value.remove_prefix(std::min(value.find_first_not_of('0'), value.size()));
  const bool large = value.size() >= kLengthDigitsMax || !parse_decimal(value, kLengthMax);
  return !value.empty() && large ? Errc::kBodyTooLarge : Errc::kBadContentLength;
}

Result<void> note_content_length(std::string_view value, Facts& facts) noexcept {
  if (facts.content_length) return fail(Errc::kBadContentLength);
  if (facts.chunked) return fail(Errc::kLengthConflict);
  // Room for leading zeros, within reason.
  if (value.size() > kLengthDigitsMax) return fail(judge_content_length(value));
  const Result<std::uint64_t> length = parse_decimal(value, kLengthMax);
  if (!length) return fail(judge_content_length(value));
  facts.content_length = *length;
  return {};
}

Result<void> note_transfer_encoding(std::string_view value, Version version,
                                    Facts& facts) noexcept {
  if (version == Version::kHttp10 || facts.chunked || !equals_ignoring_case(value, "chunked")) {
    return fail(Errc::kBadTransferEncoding);
  }
  if (facts.content_length) return fail(Errc::kLengthConflict);
  facts.chunked = true;
  return {};
}

void note_connection(std::string_view value, Facts& facts) noexcept {
  while (!value.empty()) {
    const std::string_view option = next_element(value);
    facts.close |= equals_ignoring_case(option, "close");
    facts.keep_alive |= equals_ignoring_case(option, "keep-alive");
    facts.upgrade_option |= equals_ignoring_case(option, "upgrade");
  }
}

Result<void> note_expect(std::string_view value, Version version, Facts& facts) noexcept {
  if (version == Version::kHttp10) return {};
  while (!value.empty()) {
    const std::string_view expectation = next_element(value);
    if (expectation.empty()) continue;
    if (!equals_ignoring_case(expectation, "100-continue")) return fail(Errc::kBadExpectation);
    facts.expects_continue = true;
  }
  return {};
}

void note_te(std::string_view value, Facts& facts) noexcept {
  while (!value.empty()) {
    std::string_view coding = next_element(value);
    facts.accepts_trailers |= equals_ignoring_case(next_element(coding, ';'), "trailers");
  }
}

// The names that matter here all differ in length.
Result<void> note_field(Field& field, Version version, Facts& facts) noexcept {
  const char* const name = field.name.data();
  switch (field.name.size()) {
    case 2:
      if (begins_with(name, "te")) note_te(field.value, facts);
      return {};
    case 4:
      if (!begins_with(name, "host")) return {};
      if (facts.host != nullptr) return fail(Errc::kBadHost);
      if (!field.value.empty() && !valid_authority(field.value)) return fail(Errc::kBadHost);
      facts.host = &field;
      return {};
    case 6:
      if (begins_with(name, "expect")) return note_expect(field.value, version, facts);
      return {};
    case 7:
      facts.upgrade_field |= begins_with(name, "upgrade");
      return {};
    case 10:
      if (begins_with(name, "connection")) note_connection(field.value, facts);
      return {};
    case 14:
      if (begins_with(name, "content-length")) return note_content_length(field.value, facts);
      return {};
    case 17:
      if (!begins_with(name, "transfer-encoding")) return {};
      return note_transfer_encoding(field.value, version, facts);
    default:
      return {};
  }
}

// Reads a head from its first byte to its last. Each step says kBad as soon as the bytes so far
// cannot begin a good head, and for the same reason whatever follows them.
class HeadParser {
 public:
  HeadParser(std::span<char> bytes, const Limits& limits, HeadBuffer& fields) noexcept
      : begin_{bytes.data()},
        end_{bytes.data() + bytes.size()},
        limits_{limits},
        fields_{fields.fields.data()} {}

  Piece parse(HeadResult& result) noexcept;
  [[nodiscard]] Errc error() const noexcept { return error_; }

 private:
  Piece bad(Errc error) noexcept {
    error_ = error;
    return Piece::kBad;
  }
  Piece skip_empty_line(char*& at) noexcept;
  Piece parse_request_line(char*& at, Request& request) noexcept;
  Piece parse_method(char*& at, Request& request) noexcept;
  Piece parse_target(char*& at, Request& request) noexcept;
  Piece parse_version(char*& at, Request& request) noexcept;
  Piece split_target(Request& request) noexcept;
  Piece parse_fields(char*& at, Request& request) noexcept;
  Piece finish(HeadResult& result) noexcept;

  char* const begin_;
  char* const end_;
  const Limits& limits_;
  Field* const fields_;
  const char* question_mark_ = nullptr;
  Facts facts_;
  Errc error_{};
};

Piece HeadParser::parse(HeadResult& result) noexcept {
  char* at = begin_;
  Piece piece = skip_empty_line(at);
  if (piece == Piece::kDone) piece = parse_request_line(at, result.request);
  if (piece == Piece::kDone) piece = parse_fields(at, result.request);
  if (piece == Piece::kDone) piece = finish(result);
  result.bytes = static_cast<std::size_t>(at - begin_);
  return piece;
}

// RFC 9112 section 2.2: some clients send a line end behind the body of the request before.
Piece HeadParser::skip_empty_line(char*& at) noexcept {
  if (at == end_) return Piece::kNeedMore;
  if (*at != '\r') return Piece::kDone;
  const Piece piece = parse_line_end(at, end_);
  return piece == Piece::kBad ? bad(Errc::kBadRequestLine) : piece;
}

Piece HeadParser::parse_request_line(char*& at, Request& request) noexcept {
  Piece piece = parse_method(at, request);
  if (piece == Piece::kDone) piece = parse_target(at, request);
  if (piece == Piece::kDone) piece = parse_version(at, request);
  // The version first: the preface of HTTP/2, "PRI * HTTP/2.0", is a version we do not speak here.
  if (piece == Piece::kDone) piece = split_target(request);
  return piece;
}

Piece HeadParser::parse_method(char*& at, Request& request) noexcept {
  char* const method = at;
  if (end_ - at >= 4 && begins_with(at, "GET ")) {
    at += 4;
    request.method = {method, 3};
    return Piece::kDone;
  }
  char* const limit = method + std::min(end_ - method, kMethodBytesMax + 1);
  bool lower = false;
  while (at != limit && kToken.has(*at)) lower |= is_lower(*at++);
  if (at - method > kMethodBytesMax) return bad(Errc::kBadMethod);
  if (at == end_) return Piece::kNeedMore;
  if (*at != ' ' || at == method) return bad(Errc::kBadRequestLine);

  request.method = {method, static_cast<std::size_t>(at - method)};
  ++at;
  // Methods are case-sensitive. CONNECT asks for a tunnel; TRACE echoes what a proxy or a script
  // should not see (RFC 9110 section 9.3.8).
  if (lower || request.method == "CONNECT" || request.method == "TRACE") {
    return bad(Errc::kBadMethod);
  }
  return Piece::kDone;
}

// To the space behind the target. Its characters are checked here, its form in split_target().
Piece HeadParser::parse_target(char*& at, Request& request) noexcept {
  char* const target = at;
  const std::size_t here = static_cast<std::size_t>(end_ - target);
  const bool bounded = here > limits_.target_bytes_max;
  char* const limit = bounded ? target + limits_.target_bytes_max + 1 : end_;
  for (;;) {
    at += scan::find<scan::TargetMark>(at, limit) - at;
    if (at == limit) return bounded ? bad(Errc::kTargetTooLong) : Piece::kNeedMore;
    if (*at == ' ') break;
    if (*at == '?') {
      if (question_mark_ == nullptr) question_mark_ = at;
    } else if (*at == '%') {
      for (int i = 0; i < 2; ++i) {
        if (++at == limit) return bounded ? bad(Errc::kTargetTooLong) : Piece::kNeedMore;
        if (hex_value(*at) < 0) return bad(Errc::kBadTarget);
      }
    } else {
      const bool line_ends = *at == '\r' || *at == '\n';
      return bad(line_ends ? Errc::kBadRequestLine : Errc::kBadTarget);
    }
    ++at;
  }
  if (at == target) return bad(Errc::kBadTarget);
  request.target = {target, static_cast<std::size_t>(at - target)};
  ++at;
  return Piece::kDone;
}

// "HTTP/" DIGIT "." DIGIT CRLF. Source: RFC 9112 section 2.3.
Piece HeadParser::parse_version(char*& at, Request& request) noexcept {
  if (end_ - at >= kVersionBytes + 2 && begins_with(at, "HTTP/1.1\r\n")) {
    at += kVersionBytes + 2;
    request.version = Version::kHttp11;
    return Piece::kDone;
  }
  constexpr std::string_view kForm = "HTTP/0.0";
  const char* const version = at;
  for (const char form : kForm) {
    if (at == end_) return Piece::kNeedMore;
    if (form == '0' ? !is_digit(*at) : *at != form) return bad(Errc::kBadRequestLine);
    ++at;
  }
  const Piece piece = parse_line_end(at, end_);
  if (piece == Piece::kBad) return bad(Errc::kBadRequestLine);
  if (piece == Piece::kNeedMore) return piece;
  if (version[5] != '1') return bad(Errc::kBadVersion);
  // RFC 9110 section 2.5: a higher minor version is served as the highest we know.
  request.version = version[7] == '0' ? Version::kHttp10 : Version::kHttp11;
  return Piece::kDone;
}

// Source: RFC 9112 section 3.2.
Piece HeadParser::split_target(Request& request) noexcept {
  const std::string_view target = request.target;
  const std::size_t question = question_mark_ == nullptr
                                   ? target.size()
                                   : static_cast<std::size_t>(question_mark_ - target.data());
  request.path = target.substr(0, question);
  if (question != target.size()) request.query = target.substr(question + 1);
  if (target.front() == '/') return Piece::kDone;
  if (target == "*" && request.method == "OPTIONS") return Piece::kDone;

  const std::size_t colon = target.find("://");
  const std::string_view scheme = target.substr(0, std::min(colon, target.size()));
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) {
    return bad(Errc::kBadTarget);
  }
  request.path.remove_prefix(std::min(colon + 3, request.path.size()));
  const std::size_t slash = std::min(request.path.find('/'), request.path.size());
  request.authority = request.path.substr(0, slash);
  request.path.remove_prefix(slash);
  if (request.path.empty()) request.path = "/";
  return valid_authority(request.authority) ? Piece::kDone : bad(Errc::kBadTarget);
}

Piece HeadParser::parse_fields(char*& at, Request& request) noexcept {
  const std::size_t fields_max = std::min(limits_.fields_max, kFieldsMax);
  for (std::size_t count = 0;; ++count) {
    if (at == end_) return Piece::kNeedMore;
    if (*at == '\r') {
      request.fields = {fields_, count};
      const Piece piece = parse_line_end(at, end_);
      return piece == Piece::kBad ? bad(Errc::kBadField) : piece;
    }
    if (count == fields_max) return bad(Errc::kTooManyFields);
    Field& field = fields_[count];
    const Piece piece = parse_field_line(at, end_, field);
    if (piece == Piece::kBad) return bad(Errc::kBadField);
    if (piece == Piece::kNeedMore) return piece;
    if (const auto noted = note_field(field, request.version, facts_); !noted) {
      return bad(noted.error());
    }
  }
}

// The rules for the head as a whole.
Piece HeadParser::finish(HeadResult& result) noexcept {
  Request& request = result.request;
  const bool http11 = request.version == Version::kHttp11;
  if (facts_.host == nullptr && http11) return bad(Errc::kBadHost);
  if (facts_.host != nullptr) {
    // RFC 9112 section 3.2.2: an absolute target overrules the Host field, for everyone.
    if (!request.authority.empty()) facts_.host->value = request.authority;
    request.authority = facts_.host->value;
  }
  request.content_length = facts_.content_length;
  request.has_body = facts_.chunked || facts_.content_length.value_or(0) != 0;
  request.accepts_trailers = facts_.accepts_trailers;
  result.framing = facts_.chunked          ? Framing::kChunked
                   : facts_.content_length ? Framing::kLength
                                           : Framing::kNone;
  result.keep_alive = !facts_.close && (http11 || facts_.keep_alive);
  result.expects_continue = facts_.expects_continue;
  result.wants_upgrade = http11 && facts_.upgrade_option && facts_.upgrade_field;
  return Piece::kDone;
}

// No line ended since the last call, so that its verdict stands; and no request line grew so long
// meanwhile that it must be judged before it ends.
bool nothing_new(std::span<const char> bytes, std::size_t previous_bytes,
                 const Limits& limits) noexcept {
  if (previous_bytes == 0) return false;
  const std::size_t line_bytes_max =
      2 + static_cast<std::size_t>(kMethodBytesMax) + limits.target_bytes_max + 2;
  if (previous_bytes < line_bytes_max && bytes.size() >= line_bytes_max) return false;
  const std::size_t seen = std::min(previous_bytes, bytes.size());
  return bytes.size() == seen ||
         std::memchr(bytes.data() + seen, '\n', bytes.size() - seen) == nullptr;
}

}  // namespace

HeadResult parse_request_head(std::span<char> bytes, std::size_t previous_bytes,
                              const Limits& limits, HeadBuffer& fields) noexcept {
  HeadResult result{};
  Piece piece = Piece::kNeedMore;
  const std::span<char> window = bytes.first(std::min(bytes.size(), limits.head_bytes_max));
  if (!nothing_new(window, previous_bytes, limits)) {
    HeadParser parser{window, limits, fields};
    piece = parser.parse(result);
    result.error = parser.error();
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
