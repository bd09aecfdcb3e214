// Invariants: however a response head arrives, its verdict is the same; what is done lies within
// the bytes; nothing is written but letters of names; its framing is one of the fields'.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/h1_input.h"
#include "tercel/http/h1_response.h"

namespace {

using namespace tercel::http;

void check(bool holds) {
  if (!holds) __builtin_trap();
}

bool within(std::string_view view, std::span<const char> bytes) {
  return view.empty() ||
         (view.data() >= bytes.data() && view.data() + view.size() <= bytes.data() + bytes.size());
}

void check_done(const ResponseHead& head, std::span<const char> bytes) {
  const std::span<const char> used = bytes.first(head.bytes);
  check(head.status >= 100 && head.status <= 599 && head.status != 101);
  check(within(head.reason, used));
  for (const Field& field : head.fields) {
    check(!field.name.empty() && within(field.name, used) && within(field.value, used));
    check(std::none_of(field.name.begin(), field.name.end(),
                       [](char c) { return c <= ' ' || c == ':' || (c >= 'A' && c <= 'Z'); }));
    check(field.value.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos);
  }
  check(head.framing != ResponseFraming::kLength || head.content_length.has_value());
  check(head.framing != ResponseFraming::kChunked || !head.content_length.has_value());
  check(head.framing != ResponseFraming::kUntilClose || !head.keep_alive);
  check(!head.interim() || head.framing == ResponseFraming::kNone);
}

bool same(const ResponseHead& a, const ResponseHead& b) {
  const auto same_field = [](const Field& x, const Field& y) {
    return x.name == y.name && x.value == y.value;
  };
  if (a.verdict != b.verdict) return false;
  if (a.verdict == HeadStatus::kBad) return a.error == b.error;
  if (a.verdict == HeadStatus::kNeedMore) return true;
  return a.bytes == b.bytes && a.status == b.status && a.reason == b.reason &&
         a.framing == b.framing && a.keep_alive == b.keep_alive &&
         a.content_length == b.content_length &&
         std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(), same_field);
}

}  // namespace

// The first byte says in which steps the rest arrives, the second which limits hold, and whether
// the request was HEAD.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = 1 + data[0];
  Limits limits;
  if (data[1] % 2 == 1) limits = {.head_bytes_max = 256, .fields_max = 8};
  const AnswerTo request = (data[1] & 2) != 0 ? AnswerTo::kHead : AnswerTo::kOther;
  const std::string_view input{reinterpret_cast<const char*>(data) + 2, size - 2};

  static HeadBuffer whole_fields;
  static HeadBuffer step_fields;
  ExactBytes whole{input};
  const ResponseHead expected = parse_response_head(whole.span(), 0, request, limits, whole_fields);
  check(std::equal(input.begin(), input.end(), whole.span().begin(), [](char before, char after) {
    return before == after || (before >= 'A' && before <= 'Z' && after == (before | 0x20));
  }));
  if (expected.verdict == HeadStatus::kDone) check_done(expected, whole.span());

  std::string arrived;
  std::size_t seen = 0;
  while (true) {
    arrived += input.substr(arrived.size(), step);
    ExactBytes bytes{arrived};
    const ResponseHead head = parse_response_head(bytes.span(), seen, request, limits, step_fields);
    if (head.verdict != HeadStatus::kNeedMore || arrived.size() == input.size()) {
      // A line without its end may be found bad as late as its end.
      const bool late = head.verdict == HeadStatus::kNeedMore &&
                        expected.verdict == HeadStatus::kBad && !input.ends_with('\n');
      check(late || same(head, expected));
      return 0;
    }
    seen = arrived.size();
    arrived.assign(bytes.span().begin(), bytes.span().end());
  }
}
