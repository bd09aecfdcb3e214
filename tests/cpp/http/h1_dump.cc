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

#include "http/h1_input.h"
#include "tercel/base/errors.h"
#include "tercel/http/h1_body.h"
#include "tercel/http/h1_head.h"

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

std::string fields_json(std::span<const Field> fields) {
  std::string json;
  for (const Field& field : fields) {
    if (!json.empty()) json += ',';
    json += "[" + quoted(field.name) + "," + quoted(field.value) + "]";
  }
  return "[" + json + "]";
}

std::string bad(Errc error) {
  return "{\"verdict\":\"bad\",\"error\":" + quoted(info(error).name) + "}";
}

BodyDecoder decoder_for(const HeadResult& head) {
  if (head.framing == Framing::kChunked) return BodyDecoder::chunked();
  if (head.framing == Framing::kNone) return {};
  return BodyDecoder::length(*head.request.content_length);
}

std::string describe(std::span<char> input) {
  const Limits limits;
  HeadBuffer head_fields;
  const HeadResult head = parse_request_head(input, 0, limits, head_fields);
  if (head.status == HeadStatus::kBad) return bad(head.error);
  if (head.status == HeadStatus::kNeedMore) return R"({"verdict":"need more"})";

  HeadBuffer trailer_fields;
  BodyDecoder decoder = decoder_for(head);
  std::string body;
  std::size_t bytes = head.bytes;
  BodyPart part;
  do {
    part = decoder.decode(input.subspan(bytes), limits, trailer_fields);
    bytes += part.consumed;
    body += part.data;
  } while (part.status == BodyStatus::kData);
  if (part.status == BodyStatus::kBad) return bad(part.error);
  if (part.status == BodyStatus::kNeedMore) return R"({"verdict":"need more"})";

  const bool http10 = head.request.version == Version::kHttp10;
  return "{\"verdict\":\"done\",\"method\":" + quoted(head.request.method) +
         ",\"target\":" + quoted(head.request.target) +
         ",\"version\":" + (http10 ? "\"1.0\"" : "\"1.1\"") +
         ",\"fields\":" + fields_json(head.request.fields) + ",\"body\":" + quoted(body) +
         ",\"trailers\":" + fields_json(part.trailers) + ",\"bytes\":" + std::to_string(bytes) +
         ",\"keep_alive\":" + (head.keep_alive ? "true" : "false") + "}";
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
  std::string input;
  while (tercel::http::read_input(input)) {
    tercel::http::ExactBytes bytes{input};
    std::puts(tercel::http::describe(bytes.span()).c_str());
  }
}
