// What a handler may do to a response, in which order, and how its body ends: the same rules for
// every version of HTTP, and on whichever thread they are asked.
//
// A value without bytes and without I/O: an exchange asks before it acts. An answer that is an
// error changes nothing, except kResponseTooLong and kResponseTooShort, which say what may still be
// sent. Source: RFC 9110 sections 6.4, 8.6 and 15, RFC 9112 section 6. Tested by
// response_rules_test.cc.
#pragma once

#include <cstdint>
#include <optional>

#include "tercel/base/result.h"
#include "tercel/http/h1_writer.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::http {

// How the end of the body is marked. HTTP/2 marks every end by its frames, and uses none of it but
// kNoBody.
enum class Ending : std::uint8_t {
  kUnsettled,  // Until the head is released.
  kNoBody,     // HEAD, 204, 205, 304.
  kLength,
  kChunked,
  kClose,  // HTTP/1.0 without a length.
  kTunnel  // After 101: the bytes are another protocol's.
};

// Whether a response with this status has no content, whatever the request. Source: RFC 9110
// sections 15.3.5, 15.3.6 and 15.4.5.
constexpr bool is_bodyless(std::uint16_t status) noexcept {
  return status == 204 || status == 205 || status == 304;
}

// A part of the body, without its bytes.
struct BodyPlan {
  std::uint64_t bytes;        // To send: cut to the Content-Length, none where there is no body.
  std::optional<Errc> error;  // What the caller is told once they are sent.
  bool last;                  // The response is over after them.
};

class ResponseRules {
 public:
  ResponseRules() noexcept = default;
  explicit ResponseRules(const Request& request) noexcept
      : version_{request.version},
        is_head_{request.method == "HEAD"},
        may_switch_{!request.protocol.empty()},
        accepts_trailers_{request.accepts_trailers} {}

  [[nodiscard]] Result<void> interim(const Response& response) const noexcept;
  // Fails with kIllegalStep when a response was started, and as inspect() does.
  [[nodiscard]] Result<HeadFacts> start(const Response& response) noexcept;
  // Fails with kIllegalStep before start().
  [[nodiscard]] Result<BodyPlan> write(std::uint64_t bytes, Final final) noexcept;
  [[nodiscard]] Result<BodyPlan> finish() noexcept { return write(0, Final::kYes); }

  // The head goes out together with the first part of the body: settles how the body ends. True:
  // the head has to declare `first_bytes` as the whole length.
  [[nodiscard]] bool release_head(bool last) noexcept;

  // The final response is decided elsewhere (an error): nothing is legal any more.
  void replace(std::uint16_t status, std::uint64_t body_bytes) noexcept {
    status_ = status;
    body_bytes_ = body_bytes;
    replaced_ = true;
  }

  [[nodiscard]] bool replaced() const noexcept { return replaced_; }
  // Of the response as it went over the wire; 0: none did.
  [[nodiscard]] std::uint16_t sent_status() const noexcept {
    if (!head_released_ && !replaced_) return 0;
    return is_tunnel() && version_ == Version::kHttp2 ? 200 : status_;  // RFC 8441 section 5.
  }
  [[nodiscard]] bool started() const noexcept { return status_ != 0; }
  [[nodiscard]] bool head_released() const noexcept { return head_released_; }
  [[nodiscard]] std::uint16_t status() const noexcept { return status_; }
  [[nodiscard]] Ending ending() const noexcept { return ending_; }
  // The response asks the client to switch: it has to name the protocol (RFC 9110 section 15.5.22).
  [[nodiscard]] bool names_protocol() const noexcept { return may_switch_ && status_ == 426; }
  // The response was 101: what follows is no body.
  [[nodiscard]] bool is_tunnel() const noexcept { return ending_ == Ending::kTunnel; }
  [[nodiscard]] Version version() const noexcept { return version_; }
  [[nodiscard]] bool answers_head() const noexcept { return is_head_; }
  // Trailers were promised, and the client wants them.
  [[nodiscard]] bool sends_trailers() const noexcept {
    return promised_trailers_ && accepts_trailers_ && version_ != Version::kHttp10;
  }
  // And what this response is allows them: on HTTP/1 a body of unknown length, on HTTP/2 any.
  [[nodiscard]] bool carries_trailers() const noexcept {
    if (!sends_trailers()) return false;
    return version_ == Version::kHttp2 ? ending_ != Ending::kNoBody : ending_ == Ending::kChunked;
  }
  [[nodiscard]] std::uint64_t body_bytes() const noexcept { return body_bytes_; }

 private:
  std::optional<std::uint64_t> left_;  // Of the declared Content-Length.
  std::uint64_t body_bytes_ = 0;
  std::uint16_t status_ = 0;
  Version version_ = Version::kHttp11;
  Ending ending_ = Ending::kUnsettled;
  bool is_head_ = false;
  bool may_switch_ = false;
  bool accepts_trailers_ = false;
  bool promised_trailers_ = false;
  bool head_released_ = false;
  bool replaced_ = false;
};

}  // namespace tercel::http
