#include "tercel/http/websocket_handshake.h"

#include <algorithm>

#include "tercel/base/base64.h"
#include "tercel/base/sha1.h"
#include "tercel/http/chars.h"

namespace tercel::http {
namespace {

// Source: RFC 6455 section 1.3.
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kKeyChars = base64_chars(kKeyBytes);
static_assert(base64_chars(kSha1Bytes) == kAcceptKeyChars);

// The one field of this name. Nothing: there is none, or more than one.
std::optional<std::string_view> only(std::span<const Field> fields,
                                     std::string_view name) noexcept {
  std::optional<std::string_view> found;
  for (const Field& field : fields) {
    if (field.name != name) continue;
    if (found) return std::nullopt;
    found = field.value;
  }
  return found;
}

void answer_key(std::string_view key, WebSocketHandshake& handshake) noexcept {
  std::array<char, kKeyChars + kGuid.size()> text;
  std::ranges::copy(kGuid, std::ranges::copy(key, text.begin()).out);
  base64_encode(sha1({text.data(), text.size()}), handshake.accept_key.data());
  handshake.has_accept_key = true;
}

}  // namespace

bool asks_for_websocket(const Request& request) noexcept {
  return request.protocol == "websocket";
}

Result<WebSocketHandshake> read_handshake(const Request& request,
                                          const DeflateOptions& deflate) noexcept {
  if (only(request.fields, "sec-websocket-version") != "13") return fail(Errc::kUpgradeRequired);
  WebSocketHandshake handshake;
  if (request.version != Version::kHttp2) {
    const auto key = only(request.fields, "sec-websocket-key");
    if (!key || key->size() != kKeyChars || base64_decoded_bytes(*key) != kKeyBytes) {
      return fail(Errc::kBadHandshake);
    }
    answer_key(*key, handshake);
  }
  const auto terms = agree_on_deflate(request.fields, deflate);
  if (!terms) return fail(terms.error());
  handshake.deflate = *terms;
  return handshake;
}

std::string_view FieldList::next() noexcept {
  for (;;) {
    while (!value_.empty()) {
      const std::string_view element = next_element(value_);
      if (!element.empty()) return element;
    }
    while (!fields_.empty() && fields_.front().name != name_) fields_ = fields_.subspan(1);
    if (fields_.empty()) return {};
    value_ = fields_.front().value;
    fields_ = fields_.subspan(1);
  }
}

}  // namespace tercel::http
