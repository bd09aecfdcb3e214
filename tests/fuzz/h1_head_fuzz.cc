// Invariants: however a head arrives, its verdict is the same; what is done lies within the bytes;
// nothing is written but letters of names.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "h1_head_checks.h"
#include "tercel/http/h1_head.h"

namespace {

using namespace tercel::http;

void check_done(const HeadResult& head, std::span<const char> bytes) {
  const std::span<const char> used = bytes.first(head.bytes);
  const Request& request = head.request;
  check(!request.method.empty() && within(request.method, used));
  check(!request.target.empty() && within(request.target, used));
  check(!request.path.empty() && (request.path == "/" || within(request.path, used)));
  check(within(request.query, used) && within(request.authority, used));
  check_fields(request.fields, used);
  check(head.framing != Framing::kLength || request.content_length.has_value());
  check(head.framing != Framing::kChunked || !request.content_length.has_value());
}

bool same(const HeadResult& a, const HeadResult& b) {
  if (a.status != b.status) return false;
  if (a.status == HeadStatus::kBad) return a.error == b.error;
  if (a.status == HeadStatus::kNeedMore) return true;
  return a.bytes == b.bytes && a.request.target == b.request.target && a.framing == b.framing &&
         a.keep_alive == b.keep_alive && same_fields(a.request.fields, b.request.fields);
}

}  // namespace

// The first byte says in which steps the rest arrives, the second which limits hold.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = 1 + data[0];
  Limits limits;
  if (data[1] % 2 == 1) limits = {.target_bytes_max = 24, .head_bytes_max = 256, .fields_max = 8};
  const std::string_view input{reinterpret_cast<const char*>(data) + 2, size - 2};

  check_arrival(
      input, step,
      [&limits](std::span<char> bytes, std::size_t previous_bytes, HeadBuffer& fields) {
        return parse_request_head(bytes, previous_bytes, limits, fields);
      },
      [](const HeadResult& head) { return head.status; }, same, check_done);
  return 0;
}
