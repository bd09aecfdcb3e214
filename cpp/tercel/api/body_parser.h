// Typed bodies: JSON, MessagePack where a route takes it, and media types of an application's own.
//
//   if (!parser.takes(plan, request)) ...                  // 415, with expected(plan)
//   const Result<json::Value> root = parser.parse(plan, request, body);
//   if (!root) ...                                         // refusal(...)
//   ... until parser.forget()
//
// All of them become the same document. Resource: keeps the document that it parsed last. Thread:
// the loop's. Cost: linear; nothing is allocated once its memory has grown to what bodies need, but
// for media types of an application's own. Source: RFC 9110 section 8.3. Tested by
// body_parser_test.cc and app_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tercel/api/body_plan.h"
#include "tercel/api/media_readers.h"
#include "tercel/base/result.h"
#include "tercel/http/message.h"
#include "tercel/json/document.h"
#include "tercel/json/msgpack_reader.h"
#include "tercel/json/parser.h"
#include "tercel/json/value.h"

namespace tercel::api {

class BodyParser {
 public:
  // `readers` outlives it; null: there are none.
  void set_readers(MediaReaders* readers) noexcept { readers_ = readers; }

  // Whether a body of the type that the request says is read for that plan, whose kind is kJson.
  [[nodiscard]] bool takes(const BodyPlan& plan, const http::Request& request) const noexcept;
  // What would be taken: a sentence for the client. Throws std::bad_alloc.
  [[nodiscard]] std::string expected(const BodyPlan& plan) const;

  // REQUIRES: takes(). The value is valid until forget(). Fails with kNoMemory, kBodyTooLarge,
  // kBadJson, or kHandlerFailed: the application's reader failed. Throws std::bad_alloc.
  [[nodiscard]] Result<json::Value> parse(const BodyPlan& plan, const http::Request& request,
                                          std::string_view body);
  // What was malformed about the body that parse() refused: a sentence for the client. Throws
  // std::bad_alloc.
  [[nodiscard]] std::string complaint(std::string_view body) const;
  // Whether what was parsed is the text of the body itself.
  [[nodiscard]] bool is_text() const noexcept { return format_ == Format::kJson; }
  void forget() noexcept { document_.clear(); }

 private:
  enum class Format : std::uint8_t { kNone, kJson, kMsgpack, kOwn };
  struct Found {
    Format format = Format::kNone;
    std::uint32_t reader = 0;
  };
  [[nodiscard]] Found find(const BodyPlan& plan, const http::Request& request) const noexcept;
  [[nodiscard]] Result<json::Value> parse_own(std::uint32_t reader, std::string_view body,
                                              const json::ParseOptions& options);

  MediaReaders* readers_ = nullptr;
  Format format_ = Format::kNone;  // Of the body that was parsed last.
  json::Parser parser_;
  json::MsgpackReader msgpack_reader_;
  json::Document document_;
  std::string text_;  // Of a reader: JSON, which the document points into, or what it complains of.
  bool is_malformed_ = false;  // As the reader says.
};

}  // namespace tercel::api
