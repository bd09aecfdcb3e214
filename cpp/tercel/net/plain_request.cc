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
      if (before == kMethodBytesMax) return Verdict::kOther;
      return is_capital(byte) || (byte == '-' && before > 0) ? Verdict::kUndecided
                                                             : Verdict::kOther;
    case Part::kTarget:
      if (byte == ' ' && before > 0) return enter(Part::kVersion);
      if (before == kTargetBytesMax) return Verdict::kOther;
      if (before == 0) return starts_target(byte) ? Verdict::kUndecided : Verdict::kOther;
      return byte > ' ' && byte < '\x7f' ? Verdict::kUndecided : Verdict::kOther;
    case Part::kVersion:
      if (byte != kProtocol[before]) return Verdict::kOther;
      return seen_ == kProtocol.size() ? Verdict::kHttp : Verdict::kUndecided;
  }
  return Verdict::kOther;
}

}  // namespace tercel::net
