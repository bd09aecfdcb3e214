// Prints what tercel makes of HTTP/1 requests, for tests that compare it with other parsers.
//
// Reads inputs as dump.h says, and writes one line of JSON for each.
//   {"verdict":"done","method":"GET","target":"/","version":"1.1","fields":[["host","a"]],
//    "body":"","trailers":[],"bytes":28,"keep_alive":true}
//   {"verdict":"bad","error":"BadField"}    {"verdict":"need more"}
// Only the first message of an input is read; "bytes" is its size, body included.
#include <cstdio>
#include <string>
#include <string_view>

#include "http/dump.h"
#include "http/h1_message.h"

namespace tercel::http {
namespace {

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
