#include "tercel/api/body_parser.h"

#include "tercel/api/body_type.h"
#include "tercel/api/limits.h"
#include "tercel/json/fault.h"

namespace tercel::api {

BodyParser::Found BodyParser::find(const BodyPlan& plan,
                                   const http::Request& request) const noexcept {
  if (is_json(request)) return {Format::kJson};
  const Result<http::MediaType> type = media_type_of(request);
  if (!type) return {};
  if (plan.msgpack && is_msgpack(*type)) return {Format::kMsgpack};
  if (readers_ == nullptr || type->charset == http::Charset::kOther) return {};
  const auto reader = readers_->find(*type);
  return reader ? Found{Format::kOwn, *reader} : Found{};
}

bool BodyParser::takes(const BodyPlan& plan, const http::Request& request) const noexcept {
  return find(plan, request).format != Format::kNone;
}

std::string BodyParser::expected(const BodyPlan& plan) const {
  if (!plan.msgpack && readers_ == nullptr) {
    return "The body must be JSON in UTF-8, and its Content-Type must say so.";
  }
  std::string text{"The body must be JSON in UTF-8"};
  if (plan.msgpack) text.append(" or MessagePack");
  if (readers_ != nullptr) text.append(" or ").append(readers_->names());
  return text.append(", and its Content-Type must say which.");
}

Result<json::Value> BodyParser::parse(const BodyPlan& plan, const http::Request& request,
                                      std::string_view body) {
  const Found found = find(plan, request);
  format_ = found.format;
  const json::ParseOptions options{.integer_bytes_max = std::uint32_t{kIntegerDigitsMax},
                                   .duplicates = plan.unique_keys
                                                     ? json::DuplicatePolicy::kRefuse
                                                     : json::DuplicatePolicy::kLastCounts};
  if (format_ == Format::kMsgpack) return msgpack_reader_.read(body, document_, options);
  if (format_ == Format::kOwn) return parse_own(found.reader, body, options);
  return parser_.parse(body, document_, options);
}

Result<json::Value> BodyParser::parse_own(std::uint32_t reader, std::string_view body,
                                          const json::ParseOptions& options) {
  text_.clear();
  const MediaReaders::Outcome outcome = readers_->read(reader, body, text_);
  is_malformed_ = outcome == MediaReaders::Outcome::kMalformed;
  if (is_malformed_) return fail(Errc::kBadJson);
  if (outcome == MediaReaders::Outcome::kFailed) return fail(Errc::kHandlerFailed);
  return parser_.parse(text_, document_, options);
}

std::string BodyParser::complaint(std::string_view body) const {
  if (format_ == Format::kMsgpack) {
    const json::Fault& fault = msgpack_reader_.fault();
    return "The body is not MessagePack that JSON could say: " + std::string{describe(fault.kind)} +
           ", at byte " + std::to_string(fault.offset + 1) + ".";
  }
  if (format_ == Format::kOwn && is_malformed_) return text_;
  const json::Fault& fault = parser_.fault();
  const std::string what{json::describe(fault.kind)};
  // Of what a reader made, no place says anything to the client.
  if (format_ == Format::kOwn) return "The body says what JSON could not: " + what + ".";
  const json::Position position = json::find_position(body, fault.offset);
  return "The body is not JSON: " + what + ", in line " + std::to_string(position.line) +
         ", column " + std::to_string(position.column) + ".";
}

}  // namespace tercel::api
