// Invariants: however a head arrives, its verdict is the same; what is done lies within the bytes;
// nothing is written but letters of names.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/h1_input.h"
#include "tercel/http/h1_head.h"

namespace {

using namespace tercel::http;

void check(bool holds) {
  if (!holds) __builtin_trap();
}

bool within(std::string_view view, std::span<const char> bytes) {
  return view.empty() ||
         (view.data() >= bytes.data() && view.data() + view.size() <= bytes.data() + bytes.size());
}

void check_done(const HeadResult& head, std::span<const char> bytes) {
  const std::span<const char> used = bytes.first(head.bytes);
  const Request& request = head.request;
  check(!request.method.empty() && within(request.method, used));
  check(!request.target.empty() && within(request.target, used));
  check(!request.path.empty() && (request.path == "/" || within(request.path, used)));
  check(within(request.query, used) && within(request.authority, used));
  for (const Field& field : request.fields) {
    check(!field.name.empty() && within(field.name, used) && within(field.value, used));
    check(std::none_of(field.name.begin(), field.name.end(),
                       [](char c) { return c <= ' ' || c == ':' || (c >= 'A' && c <= 'Z'); }));
    check(field.value.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos);
  }
  check(head.framing != Framing::kLength || request.content_length.has_value());
  check(head.framing != Framing::kChunked || !request.content_length.has_value());
}

bool same(const HeadResult& a, const HeadResult& b) {
  const auto same_field = [](const Field& x, const Field& y) {
    return x.name == y.name && x.value == y.value;
  };
  if (a.status != b.status) return false;
  if (a.status == HeadStatus::kBad) return a.error == b.error;
  if (a.status == HeadStatus::kNeedMore) return true;
  return a.bytes == b.bytes && a.request.target == b.request.target && a.framing == b.framing &&
         a.keep_alive == b.keep_alive &&
         std::equal(a.request.fields.begin(), a.request.fields.end(), b.request.fields.begin(),
                    b.request.fields.end(), same_field);
}

}  // namespace

// The first byte says in which steps the rest arrives, the second which limits hold.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = 1 + data[0];
  Limits limits;
  if (data[1] % 2 == 1) limits = {.target_bytes_max = 24, .head_bytes_max = 256, .fields_max = 8};
  const std::string_view input{reinterpret_cast<const char*>(data) + 2, size - 2};

  static HeadBuffer whole_fields;
  static HeadBuffer step_fields;
  ExactBytes whole{input};
  const HeadResult expected = parse_request_head(whole.span(), 0, limits, whole_fields);
  check(std::equal(input.begin(), input.end(), whole.span().begin(), [](char before, char after) {
    return before == after || (before >= 'A' && before <= 'Z' && after == (before | 0x20));
  }));
  if (expected.status == HeadStatus::kDone) check_done(expected, whole.span());

  std::string arrived;
  std::size_t seen = 0;
  while (true) {
    arrived += input.substr(arrived.size(), step);
    ExactBytes bytes{arrived};
    const HeadResult head = parse_request_head(bytes.span(), seen, limits, step_fields);
    if (head.status != HeadStatus::kNeedMore || arrived.size() == input.size()) {
      // A line without its end may be found bad as late as its end.
      const bool late = head.status == HeadStatus::kNeedMore &&
                        expected.status == HeadStatus::kBad && !input.ends_with('\n');
      check(late || same(head, expected));
      return 0;
    }
    seen = arrived.size();
    arrived.assign(bytes.span().begin(), bytes.span().end());
  }
}
