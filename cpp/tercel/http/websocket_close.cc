#include "tercel/http/websocket_close.h"

#include <algorithm>

#include "tercel/base/utf8.h"

namespace tercel::http {

ParsedClose parse_close(std::string_view payload) noexcept {
  if (payload.empty()) return {};
  const auto bad = [](CloseCode verdict) { return ParsedClose{.closing = {}, .verdict = verdict}; };
  if (payload.size() < 2) return bad(CloseCode::kProtocolError);
  const auto high = static_cast<unsigned char>(payload[0]);
  const auto low = static_cast<unsigned char>(payload[1]);
  const auto code = static_cast<std::uint16_t>(high << 8 | low);
  if (!is_sendable(code)) return bad(CloseCode::kProtocolError);
  const std::string_view reason = payload.substr(2);
  Utf8Validator text;
  if (!text.feed(reason) || !text.complete()) return bad(CloseCode::kBadData);
  return {.closing = {.code = static_cast<CloseCode>(code), .reason = reason}};
}

std::string_view fitting_reason(std::string_view reason) noexcept {
  if (reason.size() <= kCloseReasonBytesMax) return reason;
  std::size_t size = kCloseReasonBytesMax;
  // Not in front of a continuation byte.
  while (size > 0 && (static_cast<unsigned char>(reason[size]) & 0xC0U) == 0x80U) --size;
  return reason.substr(0, size);
}

std::size_t write_close(char* out, const Closing& closing) noexcept {
  if (closing.code == CloseCode::kNoCode) return 0;
  const auto code = static_cast<std::uint16_t>(closing.code);
  out[0] = static_cast<char>(code >> 8);
  out[1] = static_cast<char>(code & 0xFF);
  std::copy_n(closing.reason.data(), closing.reason.size(), out + 2);
  return 2 + closing.reason.size();
}

}  // namespace tercel::http
