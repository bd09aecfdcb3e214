// Prints what tercel makes of HTTP/1 requests, for tests that compare it with other parsers.
//
// Reads inputs from stdin: the size in four bytes, big-endian, then as many bytes, until the end.
// Writes one line of JSON for each; bytes above 0x7f are written as the characters of Latin-1.
//   {"verdict":"done","method":"GET","target":"/","version":"1.1","fields":[["host","a"]],
//    "body":"","trailers":[],"bytes":28,"keep_alive":true}
//   {"verdict":"bad","error":"BadField"}    {"verdict":"need more"}
// Only the first message of an input is read; "bytes" is its size, body included.
#include <cstdio>
#include <string>
#include <string_view>

#include "http/h1_message.h"

namespace tercel::http {
namespace {

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned char>(c));
    const bool plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\';
    json += plain ? std::string{c} : std::string{escaped};
  }
  return json + '"';
}

std::string fields_json(const std::vector<OwnedField>& fields) {
  std::string json;
  for (const OwnedField& field : fields) {
    if (!json.empty()) json += ',';
    json += "[" + quoted(field.name) + "," + quoted(field.value) + "]";
  }
  return "[" + json + "]";
}

std::string json(const Message& message) {
  if (message.verdict == Verdict::kNeedMore) return R"({"verdict":"need more"})";
  if (message.verdict == Verdict::kBad) {
    return R"({"verdict":"bad","error":)" + quoted(info(message.error).name) + "}";
  }
  return R"({"verdict":"done","method":)" + quoted(message.method) +
         ",\"target\":" + quoted(message.target) +
         ",\"version\":" + (message.http10 ? "\"1.0\"" : "\"1.1\"") +
         ",\"fields\":" + fields_json(message.fields) + ",\"body\":" + quoted(message.body) +
         ",\"trailers\":" + fields_json(message.trailers) +
         ",\"bytes\":" + std::to_string(message.bytes) +
         ",\"keep_alive\":" + (message.keep_alive ? "true" : "false") + "}";
}

// Returns false at the end of the inputs.
bool read_input(std::string& input) {
  unsigned char size[4];
  if (std::fread(size, 1, sizeof size, stdin) != sizeof size) return false;
  input.resize(static_cast<std::size_t>(size[0]) << 24 | static_cast<std::size_t>(size[1]) << 16 |
               static_cast<std::size_t>(size[2]) << 8 | size[3]);
  return std::fread(input.data(), 1, input.size(), stdin) == input.size();
}

}  // namespace
}  // namespace tercel::http

int main() {
  const tercel::http::Limits limits;
  std::string input;
  while (tercel::http::read_input(input)) {
    tercel::http::MessageReader reader{input, input.size() + 1, limits};
    std::puts(tercel::http::json(reader.read()).c_str());
  }
}
