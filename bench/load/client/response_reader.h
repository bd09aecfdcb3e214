// Reads the responses of a server on one HTTP/1.1 connection: strict, and sans-I/O.
//
//   switch (reader.next(bytes)) {                  // Takes what it read off `bytes`.
//     case ResponseReader::Event::kNeedMore: ...   // Present what is left again, with more behind.
//     case ResponseReader::Event::kHead: use(reader.status(), reader.fields());
//     case ResponseReader::Event::kBody: append(reader.body());
//     case ResponseReader::Event::kEnd: ...        // The response is complete; the next may
//     follow. case ResponseReader::Event::kBad: ...        // Nothing more can be read.
//   }
//
// What RFC 9112 lets a recipient forgive is not forgiven: a load client is there to find what a
// server does wrong. Interim responses are read and passed over, but for 101, whose head is the end
// of HTTP. A resource of one connection. Source: RFC 9112 sections 4, 6 and 7, RFC 9110 section 15.
// Tested by response_reader_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/http/h1_body.h"
#include "tercel/http/h1_field.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/message.h"

namespace tercel::load {

class ResponseReader {
 public:
  enum class Event : std::uint8_t { kNeedMore, kHead, kBody, kEnd, kBad };

  static constexpr std::size_t kHeadBytesMax = 64 * 1024;

  // `fields` is shared by all readers of a loop: no view outlives a turn.
  explicit ResponseReader(http::HeadBuffer& fields) noexcept : buffer_{fields} {}

  [[nodiscard]] Event next(std::span<char>& bytes) noexcept;
  // The peer ended its direction, and what is left of the input is `left`. kEnd: that completes a
  // response without a length. kNeedMore: it came between two responses. Else kBad.
  [[nodiscard]] Event end_of_input(std::span<const char> left) noexcept;

  // Forgets everything: for the next connection.
  void reset() noexcept;

  // Of the response whose head was told last.
  [[nodiscard]] std::uint16_t status() const noexcept { return status_; }
  // Whether the connection may carry another request once this response has ended.
  [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }
  // Names in lower case. Valid, with body(), until the next call or a change of the input.
  [[nodiscard]] std::span<const http::Field> fields() const noexcept { return fields_; }
  [[nodiscard]] std::string_view body() const noexcept { return body_; }

 private:
  enum class State : std::uint8_t { kHead, kBody, kUntilEnd, kTunnel };

  [[nodiscard]] Event read_head(std::span<char>& bytes) noexcept;
  [[nodiscard]] Event read_body(std::span<char>& bytes) noexcept;
  // False: against the rules. `end` of them is behind the last byte that is here.
  [[nodiscard]] http::Parsed read_status_line(char* at, const char* end) noexcept;
  [[nodiscard]] bool note(const http::Field& field) noexcept;
  [[nodiscard]] bool choose_framing() noexcept;

  http::HeadBuffer& buffer_;
  std::span<const http::Field> fields_;
  std::string_view body_;
  http::BodyDecoder decoder_;
  std::optional<std::uint64_t> length_;  // Of this head.
  std::uint16_t status_ = 0;
  State state_ = State::kHead;
  bool chunked_ = false;
  bool keep_alive_ = true;
};

}  // namespace tercel::load
