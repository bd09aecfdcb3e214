#include "tercel/net/plain_request.h"

#include <string_view>

namespace tercel::net {
namespace {

// What a version begins with: which one it is says nothing of TLS.
constexpr std::string_view kProtocol = "HTTP/";

constexpr bool is_capital(char byte) noexcept {
  return byte >= 'A' && byte <= 'Z';
}

// A path, the asterisk of OPTIONS, the scheme of a URL, or the host of CONNECT.
constexpr bool starts_target(char byte) noexcept {
  return byte == '/' || byte == '*' || byte == '[' || is_capital(byte) ||
         (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

// Both: what may be in that place, with `before` bytes of it before.
constexpr bool is_of_method(char byte, std::uint16_t before) noexcept {
  if (before == PlainRequest::kMethodBytesMax) return false;
  return is_capital(byte) || (byte == '-' && before > 0);
}

constexpr bool is_of_target(char byte, std::uint16_t before) noexcept {
  if (before == PlainRequest::kTargetBytesMax) return false;
  return before == 0 ? starts_target(byte) : byte > ' ' && byte < '\x7f';
}

}  // namespace

void PlainRequest::feed(std::span<const char> bytes) noexcept {
  for (const char byte : bytes) {
    if (verdict_ != Verdict::kUndecided) return;
    verdict_ = next(byte);
  }
}

PlainRequest::Verdict PlainRequest::enter(Part part) noexcept {
  part_ = part;
  seen_ = 0;
  return Verdict::kUndecided;
}

PlainRequest::Verdict PlainRequest::next(char byte) noexcept {
  const std::uint16_t before = seen_++;
  switch (part_) {
    case Part::kMethod:
      if (byte == ' ' && before > 0) return enter(Part::kTarget);
      return is_of_method(byte, before) ? Verdict::kUndecided : Verdict::kOther;
    case Part::kTarget:
      if (byte == ' ' && before > 0) return enter(Part::kVersion);
      return is_of_target(byte, before) ? Verdict::kUndecided : Verdict::kOther;
    case Part::kVersion:
      if (byte != kProtocol[before]) return Verdict::kOther;
      return seen_ == kProtocol.size() ? Verdict::kHttp : Verdict::kUndecided;
  }
  return Verdict::kOther;
}

}  // namespace tercel::net
