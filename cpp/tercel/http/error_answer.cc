#include "tercel/http/error_answer.h"

#include <charconv>

namespace tercel::http {

ErrorAnswer::ErrorAnswer(Errc error, std::chrono::seconds retry_after) noexcept
    : fields_{{{"content-type", "text/plain; charset=utf-8"},
               {"x-content-type-options", "nosniff"},
               {"retry-after", {}}}},
      status_{info(error).http_status} {
#define TERCEL_FITS(name, blame, status, text) static_assert(sizeof(text) <= kBodyBytesMax);
  TERCEL_ERRORS(TERCEL_FITS)  // A line break takes the place of the zero byte.
#undef TERCEL_FITS
  const std::string_view text = info(error).text;
  body_bytes_ = text.copy(body_.data(), text.size());
  body_[body_bytes_++] = '\n';
  if (error == Errc::kUpgradeRequired) {
    fields_[2] = {"sec-websocket-version", "13"};
    field_count_ = 3;
  }
  if (status_ != 429 && status_ != 503) return;
  char* const digits = retry_after_.data();
  const char* end = std::to_chars(digits, digits + kDigitsMax, retry_after.count()).ptr;
  fields_[2].value = {digits, end};
  field_count_ = 3;
}

std::size_t ErrorAnswer::body_bytes(Errc error) noexcept {
  return info(error).text.size() + 1;
}

}  // namespace tercel::http
