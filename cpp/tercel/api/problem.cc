#include "tercel/api/problem.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "tercel/base/block_pool.h"
#include "tercel/base/errors.h"
#include "tercel/base/utf8.h"
#include "tercel/http/h1_writer.h"
#include "tercel/http/response_rules.h"

namespace tercel::api {

bool is_told(Errc error) noexcept {
  return info(error).http_status != 0 && error != Errc::kNoMemory;
}

Sentence::Sentence(Errc error) noexcept {
  const std::string_view text = info(error).text;
  size_ = text.size() + 1;
  std::copy(text.begin(), text.end(), bytes_.begin());
  if (bytes_[0] >= 'a' && bytes_[0] <= 'z') bytes_[0] = static_cast<char>(bytes_[0] & ~0x20);
  bytes_[text.size()] = '.';
}

void write(const Problem& problem, json::Writer& out) noexcept {
  out.begin_object();
  out.key("type");
  out.string("about:blank");
  out.key("title");
  out.string(http::reason_phrase(problem.status));
  out.key("status");
  out.integer(problem.status);
  if (!problem.detail.empty()) {
    out.key("detail");
    out.string(problem.detail);
  }
  if (!problem.instance.empty() && is_utf8(problem.instance)) {
    out.key("instance");
    out.string(problem.instance);
  }
  if (!problem.errors.empty()) {
    out.key("errors");
    out.raw(problem.errors);
  }
  out.end_object();
}

void answer_problem(http::Exchange& exchange, const Problem& problem, json::Writer& scratch,
                    std::span<const http::Field> fields) noexcept {
  scratch.clear();
  write(problem, scratch);
  if (!scratch.ok()) return exchange.abort(Errc::kNoMemory);
  answer(exchange, problem.status, kProblemType, scratch.view(), fields);
}

void answer_problem(http::Exchange& exchange, Errc error, std::string_view instance,
                    json::Writer& scratch, std::span<const http::Field> fields) noexcept {
  if (!is_told(error)) return exchange.abort(error);
  const Sentence detail{error};
  const std::uint16_t status = info(error).http_status;
  answer_problem(exchange, {.status = status, .detail = detail.view(), .instance = instance},
                 scratch, fields);
}

void refuse_with_problem(http::Exchange& exchange, const edge::Asked& asked, Errc error,
                         std::span<const http::Field> fields) noexcept {
  BlockPool blocks;
  json::Writer scratch{blocks};
  answer_problem(exchange, error, asked.path, scratch, fields);
}

void answer(http::Exchange& exchange, std::uint16_t status, std::string_view content_type,
            std::string_view body, std::span<const http::Field> fields) noexcept {
  constexpr std::size_t kDigitsMax = 20;
  std::array<char, kDigitsMax> digits;
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), body.size());
  std::array<http::Field, kAnswerFieldsMax + 2> all;
  std::size_t count = 0;
  if (!content_type.empty()) all[count++] = {"content-type", content_type};
  if (!http::is_bodyless(status)) {
    all[count++] = {"content-length",
                    {digits.data(), static_cast<std::size_t>(written.ptr - digits.data())}};
  }
  if (fields.size() > kAnswerFieldsMax) return exchange.abort(Errc::kHandlerFailed);
  const auto end = std::copy(fields.begin(), fields.end(), all.begin() + static_cast<int>(count));
  const std::span head{all.begin(), end};
  if (const auto started = exchange.start({.status = status, .fields = head}); !started) {
    if (started.error() != Errc::kClosed) exchange.abort(Errc::kHandlerFailed);
    return;
  }
  // Fails when the client is gone; the server sees to that.
  static_cast<void>(exchange.write(http::Payload::borrow(body), http::Final::kYes));
}

}  // namespace tercel::api
