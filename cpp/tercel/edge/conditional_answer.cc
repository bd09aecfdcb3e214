#include "tercel/edge/conditional_answer.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "tercel/base/assert.h"
#include "tercel/http/chars.h"
#include "tercel/http/date.h"
#include "tercel/http/error_answer.h"

namespace tercel::edge {
namespace {

using http::Field;
using http::Final;
using http::Payload;
using std::chrono::seconds;

constexpr std::size_t kRefusalFieldsMax = 4;
// Of a response that says more of itself, the rest is left out of its 304.
constexpr std::size_t kUnmodifiedFieldsMax = 80;

// Of 304: what describes a content that is not there is left out.
bool belongs_to_unmodified(const Field& field) noexcept {
  constexpr std::string_view kContent = "content-";
  return field.name.size() < kContent.size() ||
         !http::equals_ignoring_case(field.name.substr(0, kContent.size()), kContent) ||
         http::equals_ignoring_case(field.name, "content-location");
}

Result<void> send_unmodified(http::Exchange& exchange, std::span<const Field> whole) noexcept {
  std::array<Field, kUnmodifiedFieldsMax> fields;
  std::size_t count = 0;
  for (const Field& field : whole) {
    if (count < fields.size() && belongs_to_unmodified(field)) fields[count++] = field;
  }
  const http::Response response{.status = 304, .fields = std::span{fields}.first(count)};
  if (auto started = exchange.start(response); !started) return started;
  (void)exchange.write(Payload::borrow({}), Final::kYes);
  return {};
}

}  // namespace

bool is_condition(std::string_view name) noexcept {
  return name == "range" || name.starts_with("if-");
}

void refuse_in_text(http::Exchange& exchange, const Asked& /*asked*/, Errc error,
                    std::span<const Field> fields) noexcept {
  const http::ErrorAnswer answer{error};
  const std::span<const Field> own = answer.response().fields;
  std::array<Field, kRefusalFieldsMax * 2> all;
  TERCEL_ASSERT(own.size() + fields.size() <= all.size());
  const auto end =
      std::copy(fields.begin(), fields.end(), std::copy(own.begin(), own.end(), all.begin()));
  if (!exchange.start(
          {.status = answer.response().status,
           .fields = std::span{all}.first(static_cast<std::size_t>(end - all.begin()))})) {
    return;
  }
  (void)exchange.write(Payload::borrow(answer.body()), Final::kYes);
}

http::Validators validators_of(std::span<const Field> fields, seconds now) noexcept {
  http::Validators found;
  for (const Field& field : fields) {
    if (http::equals_ignoring_case(field.name, "etag")) {
      found.etag = http::parse_entity_tag(field.value);
    } else if (http::equals_ignoring_case(field.name, "last-modified")) {
      found.last_modified = http::parse_http_date(field.value, now);
    }
  }
  return found;
}

std::optional<Result<void>> answer_conditions(http::Exchange& exchange, const Asked& asked,
                                              const http::Response& response,
                                              const http::Validators& current, seconds now,
                                              Refuse refuse) noexcept {
  if (!asked.reads() || response.status != 200) return std::nullopt;
  switch (http::evaluate_conditions(asked.method, asked.fields, current, now)) {
    case http::Verdict::kNotModified:
      return send_unmodified(exchange, response.fields);
    case http::Verdict::kPreconditionFailed:
      refuse(exchange, asked, Errc::kPreconditionFailed, {});
      return Result<void>{};
    case http::Verdict::kProceed:
      break;
  }
  return std::nullopt;
}

}  // namespace tercel::edge
