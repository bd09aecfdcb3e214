// Invariants: decoding in place and apart agree, and undo encoding; an authority that is valid
// holds nothing that could end it early.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tercel/base/percent.h"
#include "tercel/http/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tercel;
  using namespace tercel::http;
  const std::string text{reinterpret_cast<const char*>(data), size};

  std::string out(size, '\0');
  const std::string apart{percent_decode(text, out)};
  std::string in_place = text;
  if (percent_decode(in_place, in_place) != apart) __builtin_trap();
  if (apart.size() > size || (size - apart.size()) % 2 != 0) __builtin_trap();

  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    (encoded += '%').append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
  }
  if (!valid_percent_encoding(encoded)) __builtin_trap();
  if (percent_decode(encoded, encoded) != text) __builtin_trap();

  if (valid_authority(text)) {
    if (text.find_first_of(" \t\r\n/?#@\\\"<>") != std::string::npos) __builtin_trap();
    if (text.empty() || text.front() == ':' || !valid_percent_encoding(text)) __builtin_trap();
    if (!valid_authority(text + (text.find(':') == std::string::npos ? ":80" : ""))) {
      __builtin_trap();
    }
  }
  return 0;
}
