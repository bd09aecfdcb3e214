// How the tools that print what tercel makes of inputs read and write: for tests that compare it
// with other implementations.
//
// Inputs come on stdin: the size in four bytes, big-endian, then as many bytes, until the end.
// Strings are written as JSON; bytes above 0x7f as the characters of Latin-1.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace tercel::http {

inline std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned char>(c));
    const bool plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\';
    json += plain ? std::string{c} : std::string{escaped};
  }
  return json + '"';
}

// Returns false at the end of the inputs.
inline bool read_input(std::string& input) {
  unsigned char size[4];
  if (std::fread(size, 1, sizeof size, stdin) != sizeof size) return false;
  input.resize(static_cast<std::size_t>(size[0]) << 24 | static_cast<std::size_t>(size[1]) << 16 |
               static_cast<std::size_t>(size[2]) << 8 | size[3]);
  return std::fread(input.data(), 1, input.size(), stdin) == input.size();
}

}  // namespace tercel::http
