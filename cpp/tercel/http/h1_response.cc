#include "tercel/http/h1_response.h"

#include <algorithm>

#include "tercel/http/chars.h"
#include "tercel/http/h1_field.h"
#include "tercel/http/h1_known_fields.h"
#include "tercel/http/scan.h"

namespace tercel::http {
namespace {

// "HTTP/1.1 200"
constexpr std::string_view kForm = "HTTP/0.0 000";

class ResponseParser {
 public:
  ResponseParser(std::span<char> bytes, AnswerTo request, const Limits& limits, HeadBuffer& fields,
                 ResponseHead& head) noexcept
      : begin_{bytes.data()},
        end_{bytes.data() + bytes.size()},
        request_{request},
        room_{fields.fields.data(), std::min(limits.fields_max, kFieldsMax)},
        head_{head} {}

  Piece parse() noexcept;

 private:
  Parsed bad(Errc error) noexcept {
    head_.error = error;
    return stopped(Piece::kBad);
  }
  Parsed parse_status_line(char* at) noexcept;
  Parsed parse_fields(char* at) noexcept;
  void finish() noexcept;

  char* const begin_;
  char* const end_;
  const AnswerTo request_;
  const std::span<Field> room_;
  ResponseHead& head_;
  KnownFields known_;
};

Piece ResponseParser::parse() noexcept {
  Parsed here = parse_status_line(begin_);
  if (here.piece == Piece::kDone) here = parse_fields(here.next);
  if (here.piece == Piece::kDone) {
    head_.bytes = static_cast<std::size_t>(here.next - begin_);
    finish();
  }
  return here.piece;
}

// "HTTP/" DIGIT "." DIGIT SP 3DIGIT [ SP [ reason ] ] CRLF. RFC 9112 section 4 wants the second
// space even without a reason; servers that leave it out leave no doubt either.
Parsed ResponseParser::parse_status_line(char* at) noexcept {
  const char* const line = at;
  for (const char form : kForm) {
    if (at == end_) return stopped(Piece::kNeedMore);
    if (form == '0' ? !is_digit(*at) : *at != form) return bad(Errc::kBadRequestLine);
    ++at;
    // The versions of other syntaxes, and codes that are none (RFC 9110 section 15).
    if (at - line == 6 && line[5] != '1') return bad(Errc::kBadVersion);
    if (at - line == 10 && (line[9] < '1' || line[9] > '5')) return bad(Errc::kBadResponseStatus);
  }
  head_.version = line[7] == '0' ? Version::kHttp10 : Version::kHttp11;
  head_.status =
      static_cast<std::uint16_t>((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
  if (head_.switches() && request_ != AnswerTo::kUpgrade) return bad(Errc::kBadResponseStatus);

  if (at != end_ && *at == ' ') {
    char* const reason = ++at;
    at += scan::find<scan::ValueEnd>(at, end_) - at;
    head_.reason = {reason, static_cast<std::size_t>(at - reason)};
  }
  const Parsed line_end = parse_line_end(at, end_);
  return line_end.piece == Piece::kBad ? bad(Errc::kBadRequestLine) : line_end;
}

// To behind the empty line.
Parsed ResponseParser::parse_fields(char* at) noexcept {
  std::size_t count = 0;
  const Parsed section =
      parse_field_lines(at, end_, room_, count, head_.error,
                        [this](const Field& field) noexcept -> std::optional<Errc> {
                          if (!may_be_known(field.name)) return {};
                          const auto noted = known_.note_of_response(field, head_.version);
                          return noted ? std::optional<Errc>{} : noted.error();
                        });
  head_.fields = room_.first(count);
  return section;
}

// Source: RFC 9112 sections 6.3 and 9.3.
void ResponseParser::finish() noexcept {
  head_.content_length = known_.content_length;
  const bool never = head_.status < 200 || head_.status == 204;
  if (head_.switches()) {
    head_.framing = ResponseFraming::kUntilClose;
  } else if (never || head_.status == 304 || request_ == AnswerTo::kHead) {
    head_.framing = ResponseFraming::kNone;
  } else if (known_.chunked) {
    head_.framing = ResponseFraming::kChunked;
  } else {
    head_.framing = known_.content_length ? ResponseFraming::kLength : ResponseFraming::kUntilClose;
  }
  const bool http11 = head_.version == Version::kHttp11;
  head_.keep_alive = !known_.close && (http11 || known_.keep_alive) &&
                     head_.framing != ResponseFraming::kUntilClose;
  // RFC 9112 section 6.1 forbids both: whoever sends them may send that body, too.
  if (never && (known_.chunked || known_.content_length.value_or(0) > 0)) head_.keep_alive = false;
}

}  // namespace

ResponseHead parse_response_head(std::span<char> bytes, std::size_t previous_bytes,
                                 AnswerTo request, const Limits& limits,
                                 HeadBuffer& fields) noexcept {
  ResponseHead head{};
  Piece piece = Piece::kNeedMore;
  const bool full = bytes.size() >= limits.head_bytes_max;
  const std::span<char> window = bytes.first(std::min(bytes.size(), limits.head_bytes_max));
  if (previous_bytes == 0 || full || !no_line_ended(window, previous_bytes)) {
    piece = ResponseParser{window, request, limits, fields, head}.parse();
  }
  if (piece == Piece::kNeedMore && full) {
    head.error = Errc::kHeadTooLarge;
    piece = Piece::kBad;
  }
  head.verdict = piece == Piece::kDone  ? HeadStatus::kDone
                 : piece == Piece::kBad ? HeadStatus::kBad
                                        : HeadStatus::kNeedMore;
  return head;
}

}  // namespace tercel::http
