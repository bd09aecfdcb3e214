// Bytes of which no two runs are the same: what is lost, doubled or moved shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tercel::test {

inline std::string pattern(std::size_t bytes) {
  std::string text(bytes, ' ');
  std::uint32_t state = 1;
  for (char& c : text) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
  return text;
}

}  // namespace tercel::test
