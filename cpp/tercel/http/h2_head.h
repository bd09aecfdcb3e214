// The rules for the fields of an HTTP/2 request, and the Request that they make.
//
//   H2Head head{limits, fields, text, block.size()};
//   head.note(":method", "GET");                 // As they are decoded.
//   if (auto error = head.finish(has_body)) ...  // Else head.request is complete.
//
// Limits hold while a block is decoded: the size of the list (name, value and 32 bytes for each
// field, RFC 9113 section 6.5.2), the number of fields (each cookie crumb is one), the target. What
// is beyond a limit is not kept. After the first error nothing is.
// What breaks a rule makes a request malformed, which is an error of its stream; what is only not
// supported or too much is answered: see is_malformed().
// A value for the time of one header block; its views are into `fields` and `text`.
// Source: RFC 9113 sections 8.2 and 8.3, RFC 8441, RFC 9218 section 5. Tested by h2_rules_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/errors.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/h1_known_fields.h"
#include "tercel/http/limits.h"
#include "tercel/http/message.h"
#include "tercel/http/recorder.h"

namespace tercel::http {

// What the client wishes of the order of responses. Source: RFC 9218 section 4.
struct H2Priority {
  unsigned urgency = 3;
  bool incremental = false;
};

class H2Head {
 public:
  // Bytes of `text` that a head within the limits needs: each is copied once, and cookies are
  // joined once more.
  [[nodiscard]] static std::size_t text_bytes(const Limits& limits) noexcept {
    return 2 * limits.head_bytes_max + 2 * kFieldsMax;
  }

  // What a head may be beyond kRatioMax times its bytes on the wire. Each field of the table once,
  // which is 4 KiB, and then some: who needs more repeats a field for what it costs us.
  static constexpr std::size_t kIndexedBytesMax = 8 * kKibibyte;
  static constexpr std::size_t kRatioMax = 8;

  // `block_bytes`: of the header block as it arrived.
  H2Head(const Limits& limits, HeadBuffer& fields, std::span<char> text,
         std::size_t block_bytes) noexcept
      : limits_{limits},
        fields_{fields.fields.data()},
        text_{text},
        ratio_bytes_max_{kIndexedBytesMax + kRatioMax * block_bytes} {
    request_.version = Version::kHttp2;
  }

  // A field of a request, or of its trailers.
  void note(std::string_view name, std::string_view value) noexcept;
  void note_trailer(std::string_view name, std::string_view value) noexcept;

  // The request, when its header block ended. `has_body`: the stream did not end with it.
  [[nodiscard]] std::optional<Errc> finish(bool has_body) noexcept;
  [[nodiscard]] std::optional<Errc> error() const noexcept { return error_; }
  [[nodiscard]] std::span<const Field> trailers() const noexcept { return {fields_, count_}; }

  // Whether the request breaks a rule of HTTP/2: it is reset, not answered.
  [[nodiscard]] static bool is_malformed(Errc error) noexcept {
    return info(error).http_status == 400;
  }

  [[nodiscard]] const Request& request() const noexcept { return request_; }
  // What is known of one that is refused.
  [[nodiscard]] PartialHead partial() const noexcept {
    return {.method = request_.method, .target = request_.target, .version = Version::kHttp2};
  }
  [[nodiscard]] std::span<Field> fields() noexcept { return {first_, request_.fields.size()}; }
  [[nodiscard]] bool expects_continue() const noexcept { return known_.expects_continue; }
  [[nodiscard]] const std::optional<H2Priority>& priority() const noexcept { return priority_; }

 private:
  void refuse(Errc error) noexcept {
    if (!error_) error_ = error;
  }
  // Counts the field. False: it is beyond a limit, or an error came before.
  [[nodiscard]] bool admit(std::string_view name, std::string_view value,
                           std::size_t bytes_max) noexcept;
  [[nodiscard]] std::string_view keep(std::string_view text) noexcept;
  void note_pseudo(std::string_view name, std::string_view value) noexcept;
  void note_regular(Field& field) noexcept;
  [[nodiscard]] std::optional<Errc> judge_method() noexcept;
  [[nodiscard]] bool split_path() noexcept;
  [[nodiscard]] bool settle_authority() noexcept;
  void join_cookies() noexcept;

  const Limits& limits_;
  Field* const fields_;
  std::span<char> text_;
  Request request_;
  KnownFields known_;
  std::optional<Errc> error_;
  std::optional<H2Priority> priority_;
  std::string_view scheme_;
  std::string_view protocol_;  // Of an extended CONNECT.
  Field* first_ = nullptr;     // Of the fields of the request.
  std::size_t list_bytes_ = 0;
  std::size_t ratio_bytes_max_;
  std::size_t count_ = 0;
  std::size_t cookies_ = 0;
  bool authority_seen_ = false;
  bool regular_seen_ = false;
};

// Whether a field keeps the rules of RFC 9113 section 8.2: a lower-case name without a colon, and a
// value without control bytes and without blanks around it.
[[nodiscard]] bool is_h2_field(std::string_view name, std::string_view value) noexcept;

}  // namespace tercel::http
