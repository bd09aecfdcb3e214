// SHA-1, for the one place that still asks for it: the WebSocket handshake, where it proves nothing
// but that the server read the request.
//
//   std::array<std::uint8_t, 20> digest = sha1("abc");
//
// A value. Not for anything that needs a hash nobody can forge. Source: FIPS 180-4 section 6.1.
// Tested by sha1_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tercel {

inline constexpr std::size_t kSha1Bytes = 20;

[[nodiscard]] std::array<std::uint8_t, kSha1Bytes> sha1(std::string_view message) noexcept;

}  // namespace tercel
