// Writes what tercel reads of JSON texts, for tests that compare it with other parsers.
//
// Reads texts from stdin: the size in four bytes, big-endian, then as many bytes, until the end.
// Writes one line for each: the value as compact JSON, or "!" and what is wrong.
#include <cstdio>
#include <string>

#include "json/to_text.h"
#include "tercel/json/parser.h"

namespace {

// Returns false at the end of the texts.
bool read_text(std::string& text) {
  unsigned char size[4];
  if (std::fread(size, 1, sizeof size, stdin) != sizeof size) return false;
  text.resize(static_cast<std::size_t>(size[0]) << 24 | static_cast<std::size_t>(size[1]) << 16 |
              static_cast<std::size_t>(size[2]) << 8 | size[3]);
  return std::fread(text.data(), 1, text.size(), stdin) == text.size();
}

}  // namespace

int main() {
  tercel::json::Parser parser;
  tercel::json::Document document;
  std::string text;
  while (read_text(text)) {
    const auto root = parser.parse(text, document);
    const std::string line =
        root ? to_text(*root) : "!" + std::string{describe(parser.fault().kind)};
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
  }
}
