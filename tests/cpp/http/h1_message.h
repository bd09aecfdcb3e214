// Reads one HTTP/1 request as a session does, from bytes that arrive in steps: for tests, and for
// the tool that compares with llhttp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/h1_input.h"
#include "tercel/base/errors.h"
#include "tercel/http/h1_body.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/limits.h"

namespace tercel::http {

enum class Verdict : std::uint8_t { kDone, kNeedMore, kBad };

struct OwnedField {
  std::string name;
  std::string value;
};

// What was read: owns all of it. Nothing but `verdict` and `error` is meant unless kDone.
struct Message {
  Verdict verdict = Verdict::kNeedMore;
  Errc error{};
  std::string method, target, path, query, authority;
  bool http10 = false;
  std::vector<OwnedField> fields;
  std::string body;
  std::vector<OwnedField> trailers;
  bool keep_alive = false;
  bool expects_continue = false;
  std::string protocol;
  bool accepts_trailers = false;
  std::size_t bytes = 0;  // Of the whole message.
};

inline std::vector<OwnedField> own(std::span<const Field> fields) {
  std::vector<OwnedField> owned;
  for (const Field& field : fields) {
    owned.push_back({std::string{field.name}, std::string{field.value}});
  }
  return owned;
}

class MessageReader {
 public:
  // `step`: how many bytes arrive at once.
  MessageReader(std::string_view input, std::size_t step, const Limits& limits)
      : input_{input}, step_{step}, limits_{limits} {}

  Message read() {
    if (read_head()) read_body();
    return message_;
  }

 private:
  // False when all has arrived.
  bool more() {
    if (arrived_.size() == input_.size()) return false;
    arrived_ += input_.substr(arrived_.size(), step_);
    return true;
  }

  bool read_head() {
    std::size_t seen = 0;
    while (true) {
      ExactBytes bytes{arrived_};
      const HeadResult head = parse_request_head(bytes.span(), seen, limits_, *fields_);
      if (head.status == HeadStatus::kBad) return bad(head.error);
      if (head.status == HeadStatus::kDone) return take(head);
      seen = arrived_.size();
      arrived_.assign(bytes.span().begin(), bytes.span().end());  // Names in lower case.
      if (!more()) return false;
    }
  }

  void read_body() {
    while (true) {
      ExactBytes bytes{std::string_view{arrived_}.substr(message_.bytes)};
      const BodyPart part = decoder_.decode(bytes.span(), limits_, *fields_);
      message_.bytes += part.consumed;
      message_.body += part.data;
      if (part.status == BodyStatus::kBad) {
        bad(part.error);
        return;
      }
      if (part.status == BodyStatus::kEnd) {
        message_.verdict = Verdict::kDone;
        message_.trailers = own(part.trailers);
        return;
      }
      if (part.status == BodyStatus::kNeedMore && !more()) return;
    }
  }

  bool bad(Errc error) {
    message_.verdict = Verdict::kBad;
    message_.error = error;
    return false;
  }

  bool take(const HeadResult& head) {
    const Request& request = head.request;
    message_.method = request.method;
    message_.target = request.target;
    message_.path = request.path;
    message_.query = request.query;
    message_.authority = request.authority;
    message_.http10 = request.version == Version::kHttp10;
    message_.fields = own(request.fields);
    message_.keep_alive = head.keep_alive;
    message_.expects_continue = head.expects_continue;
    message_.protocol = head.request.protocol;
    message_.accepts_trailers = request.accepts_trailers;
    message_.bytes = head.bytes;
    if (head.framing == Framing::kChunked) decoder_ = BodyDecoder::chunked();
    if (head.framing == Framing::kLength) decoder_ = BodyDecoder::length(*request.content_length);
    return true;
  }

  const std::string_view input_;
  const std::size_t step_;
  const Limits& limits_;
  const std::unique_ptr<HeadBuffer> fields_ = std::make_unique<HeadBuffer>();
  std::string arrived_;
  BodyDecoder decoder_;
  Message message_;
};

}  // namespace tercel::http
