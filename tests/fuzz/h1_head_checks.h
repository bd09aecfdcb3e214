// What is asked of both parsers of heads: of what they give back, and of how it arrives.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "http/h1_input.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/message.h"

namespace tercel::http {

inline void check(bool holds) {
  if (!holds) __builtin_trap();
}

inline bool within(std::string_view view, std::span<const char> bytes) {
  return view.empty() ||
         (view.data() >= bytes.data() && view.data() + view.size() <= bytes.data() + bytes.size());
}

inline void check_fields(std::span<const Field> fields, std::span<const char> used) {
  for (const Field& field : fields) {
    check(!field.name.empty() && within(field.name, used) && within(field.value, used));
    check(std::none_of(field.name.begin(), field.name.end(),
                       [](char c) { return c <= ' ' || c == ':' || (c >= 'A' && c <= 'Z'); }));
    check(field.value.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos);
  }
}

inline bool same_fields(std::span<const Field> a, std::span<const Field> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Field& x, const Field& y) {
    return x.name == y.name && x.value == y.value;
  });
}

// Checks that nothing is written but letters of names, and that the verdict is the same when the
// input arrives in steps. `parse(bytes, previous_bytes, fields)` is the parser, `verdict_of(head)`
// its HeadStatus, `same(a, b)` compares two heads, `check_done(head, bytes)` looks at a complete
// one.
template <typename Parse, typename VerdictOf, typename Same, typename CheckDone>
void check_arrival(std::string_view input, std::size_t step, Parse parse, VerdictOf verdict_of,
                   Same same, CheckDone check_done) {
  static HeadBuffer whole_fields;
  static HeadBuffer step_fields;
  ExactBytes whole{input};
  const auto expected = parse(whole.span(), 0, whole_fields);
  check(std::equal(input.begin(), input.end(), whole.span().begin(), [](char before, char after) {
    return before == after || (before >= 'A' && before <= 'Z' && after == (before | 0x20));
  }));
  if (verdict_of(expected) == HeadStatus::kDone) check_done(expected, whole.span());

  std::string arrived;
  std::size_t seen = 0;
  while (true) {
    arrived += input.substr(arrived.size(), step);
    ExactBytes bytes{arrived};
    const auto head = parse(bytes.span(), seen, step_fields);
    if (verdict_of(head) != HeadStatus::kNeedMore || arrived.size() == input.size()) {
      // A line without its end may be found bad as late as its end.
      const bool late = verdict_of(head) == HeadStatus::kNeedMore &&
                        verdict_of(expected) == HeadStatus::kBad && !input.ends_with('\n');
      return check(late || same(head, expected));
    }
    seen = arrived.size();
    arrived.assign(bytes.span().begin(), bytes.span().end());
  }
}

}  // namespace tercel::http
