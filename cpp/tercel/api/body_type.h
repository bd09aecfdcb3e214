// What Content-Type and Content-Encoding of a request say of its body.
//
// Views into the request. Source: RFC 9110 sections 8.3 and 8.4, RFC 7578 section 4. Tested by
// app_test.cc.
#pragma once

#include <cstdint>

#include "tercel/base/result.h"
#include "tercel/http/media_type.h"
#include "tercel/http/message.h"

namespace tercel::api {

// JSON in UTF-8, or nothing at all.
[[nodiscard]] bool is_json(const http::Request& request) noexcept;

// What Content-Type says. Fails with kBadMediaType: it is malformed, or there is none.
[[nodiscard]] Result<http::MediaType> media_type_of(const http::Request& request) noexcept;

// application/msgpack, or what it was called before: x-msgpack, vnd.msgpack.
[[nodiscard]] bool is_msgpack(const http::MediaType& type) noexcept;

// Compressed, or encoded in another way: nobody undoes it here.
[[nodiscard]] bool is_encoded(const http::Request& request) noexcept;

enum class FormEncoding : std::uint8_t { kNone, kUrlencoded, kMultipart };

struct FormType {
  FormEncoding encoding = FormEncoding::kNone;
  http::MediaType media = {};  // Its boundary is not checked yet.
};

// A form in UTF-8, or none.
[[nodiscard]] FormType form_type_of(const http::Request& request) noexcept;

}  // namespace tercel::api
