#include "tercel/gateway/endpoint_log.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <new>
#include <string>

#include "tercel/base/log_seldom.h"

namespace tercel::gateway {
namespace {

// What to look at, where the error does not say it.
std::string_view hint_of(const Endpoint& endpoint, Errc error) noexcept {
  switch (error) {
    case Errc::kUpstreamUntrusted:
      return " (is its certificate one of ca=, for that name, and does it speak TLS?)";
    case Errc::kUpstreamUnreachable:
      return endpoint.secure ? " (is somebody there, and does it speak TLS?)" : "";
    case Errc::kUpstreamMalformed:
    case Errc::kUpstreamReset:
    case Errc::kUpstreamTruncated:
      return endpoint.secure ? "" : " (does it speak TLS, and is https://?)";
    default:
      return "";
  }
}

void tell(LogLevel level, const Endpoint& endpoint, std::string_view before,
          std::initializer_list<std::string_view> behind) noexcept {
  try {
    // The host may be one that a backend named.
    std::string place;
    append_authority(endpoint, place);
    std::array<char, 300> room;
    std::string text{before};
    text.append(endpoint.secure ? "https://" : "http://").append(escape_for_log(place, room));
    for (const std::string_view part : behind) text.append(part);
    log_seldom(level, text);
  } catch (const std::bad_alloc&) {  // Then it is not told.
  }
}

}  // namespace

void tell_failure(const Endpoint& endpoint, Errc error, Asked asked) noexcept {
  tell(LogLevel::kWarning, endpoint,
       asked == Asked::kByCheck ? "A check of the backend " : "A request to the backend ",
       {" failed: ", info(error).text, hint_of(endpoint, error), "."});
}

void tell_status(const Endpoint& endpoint, unsigned status) noexcept {
  const std::array digits{static_cast<char>('0' + status / 100 % 10),
                          static_cast<char>('0' + status / 10 % 10),
                          static_cast<char>('0' + status % 10)};
  tell(LogLevel::kWarning, endpoint, "A check of the backend ",
       {" failed: it answered with status ", {digits.data(), digits.size()}, "."});
}

void tell_refusal(const Endpoint& endpoint, std::string_view rule, std::string_view code) noexcept {
  std::array<char, 100> room_of_rule;
  std::array<char, 100> room_of_code;
  tell(LogLevel::kError, endpoint, "The backend ",
       {" refuses the credentials of bucket \"", escape_for_log(rule, room_of_rule),
        "\": ", escape_for_log(code, room_of_code), "."});
}

bool is_of_credentials(std::string_view code) noexcept {
  constexpr std::string_view kCodes[] = {"AuthorizationHeaderMalformed", "ExpiredToken",
                                         "InvalidAccessKeyId",           "InvalidToken",
                                         "RequestTimeTooSkewed",         "SignatureDoesNotMatch"};
  return std::ranges::find(kCodes, code) != std::end(kCodes);
}

}  // namespace tercel::gateway
