// Prints what tercel makes of HTTP/1 responses, for tests that compare it with other parsers.
//
// Reads inputs as dump.h says, and writes one line of JSON for each.
//   {"verdict":"done","status":200,"version":"1.1","reason":"OK","fields":[["a","b"]],
//    "framing":"length","keep_alive":true,"bytes":28}
//   {"verdict":"bad","error":"BadField"}    {"verdict":"need more"}
// Only the first head of an input is read, as one that answers GET.
#include <cstdio>
#include <string>

#include "http/dump.h"
#include "http/h1_input.h"
#include "tercel/http/h1_response.h"

namespace tercel::http {
namespace {

std::string json(const ResponseHead& head) {
  if (head.verdict == HeadStatus::kNeedMore) return R"({"verdict":"need more"})";
  if (head.verdict == HeadStatus::kBad) {
    return R"({"verdict":"bad","error":)" + quoted(info(head.error).name) + "}";
  }
  static constexpr const char* kFramings[] = {"none", "length", "chunked", "close"};
  std::string fields;
  for (const Field& field : head.fields) {
    if (!fields.empty()) fields += ',';
    fields += "[" + quoted(field.name) + "," + quoted(field.value) + "]";
  }
  return R"({"verdict":"done","status":)" + std::to_string(head.status) +
         ",\"version\":" + (head.version == Version::kHttp10 ? "\"1.0\"" : "\"1.1\"") +
         ",\"reason\":" + quoted(head.reason) + ",\"fields\":[" + fields + "],\"framing\":\"" +
         kFramings[static_cast<int>(head.framing)] +
         "\",\"keep_alive\":" + (head.keep_alive ? "true" : "false") +
         ",\"bytes\":" + std::to_string(head.bytes) + "}";
}

}  // namespace
}  // namespace tercel::http

int main() {
  using namespace tercel::http;
  const Limits limits;
  static HeadBuffer fields;
  std::string input;
  while (read_input(input)) {
    ExactBytes bytes{input};
    std::puts(json(parse_response_head(bytes.span(), 0, AnswerTo::kOther, limits, fields)).c_str());
  }
}
