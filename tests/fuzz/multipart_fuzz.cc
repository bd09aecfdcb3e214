// Invariants: however a form arrives, it is the same; no part holds its boundary, or more than the
// body; the limits hold; a form that is whole, written again, is read as the same parts.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/multipart_input.h"

namespace {

using namespace tercel::http;

constexpr std::string_view kBoundary = "-b";

std::string escaped(std::string_view name) {
  std::string all;
  for (const char c : name) {
    if (c == '"') {
      all += "%22";
    } else if (c == '\r') {
      all += "%0D";
    } else if (c == '\n') {
      all += "%0A";
    } else if (c == '\\') {
      all += "\\\\";
    } else {
      all += c;
    }
  }
  return all;
}

// An escape that is none, such as "%22" decoded from "%%2222", cannot be written.
bool writable(const FormPart& part) {
  return (part.name + part.filename.value_or("")).find('%') == std::string::npos;
}

void write_and_read(Form form) {
  std::string body;
  for (FormPart& part : form.parts) {
    if (!writable(part)) return;
    body += "---b\r\ncontent-disposition: form-data; name=\"" + escaped(part.name) + "\"";
    if (part.filename) body += "; filename=\"" + escaped(*part.filename) + "\"";
    body += "\r\ncontent-type: " + part.content_type + "\r\n\r\n" + part.data + "\r\n";
    part.fields.clear();
  }
  body += "---b--";
  const MultipartLimits wide{.part_head_bytes_max = body.size() + 1,
                             .heads_bytes_max = body.size()};
  Form again = read_form_in_steps(kBoundary, body, body.size(), wide);
  for (FormPart& part : again.parts) part.fields.clear();
  if (again != form) __builtin_trap();
}

}  // namespace

// The first byte says in which steps the rest arrives, the second whether the limits are low.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = 1 + data[0];
  MultipartLimits limits;
  if (data[1] % 2 == 1) {
    limits = {.parts_max = 2,
              .part_head_bytes_max = 100,
              .part_fields_max = 2,
              .heads_bytes_max = 150,
              .preamble_bytes_max = 5,
              .epilogue_bytes_max = 5,
              .padding_bytes_max = 2};
  }
  const std::string_view body{reinterpret_cast<const char*>(data) + 2, size - 2};
  const Form whole = read_form_in_steps(kBoundary, body, body.size() + 1, limits);
  if (read_form_in_steps(kBoundary, body, step, limits) != whole) __builtin_trap();
  if (read_form_split_at(kBoundary, body, body.size() * data[0] / 256, limits) != whole) {
    __builtin_trap();
  }

  std::size_t bytes = 0;
  for (const FormPart& part : whole.parts) {
    if (("\r\n" + part.data).find("\r\n---b") != std::string::npos) __builtin_trap();
    if (!part.whole && &part != &whole.parts.back()) __builtin_trap();
    bytes += part.data.size();
  }
  if (bytes > body.size() || whole.parts.size() > limits.parts_max) __builtin_trap();
  if (whole.end == "complete") write_and_read(whole);
  return 0;
}
