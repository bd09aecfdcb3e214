// Invariants: ranges are in order, apart, and within the representation, and written again they are
// the same; a Range asks for no byte twice; a date is written again as the same time; an entity tag
// matches itself, and who has the current one gets 304, and may change it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tercel/http/conditional.h"
#include "tercel/http/date.h"
#include "tercel/http/range.h"

namespace {

using namespace tercel::http;
using std::chrono::seconds;

constexpr seconds kNow{1795700000};

void check_range(std::string_view text, std::uint64_t size) {
  ByteRanges ranges;
  const RangeVerdict verdict = parse_range(text, size, ranges);
  if ((verdict == RangeVerdict::kPartial) != !ranges.all().empty()) __builtin_trap();
  std::uint64_t next = 0;
  std::string again = "bytes=";
  for (const ByteRange& range : ranges.all()) {
    if (range.first < next || range.last < range.first || range.last >= size) __builtin_trap();
    next = range.last + 2;
    std::array<char, kContentRangeBytesMax> out;
    const std::string written{out.data(), write_content_range(out.data(), range, size)};
    again += written.substr(6, written.find('/') - 6) + ',';
  }
  if (verdict != RangeVerdict::kPartial) return;
  ByteRanges reread;
  if (parse_range(again, size, reread) != RangeVerdict::kPartial) __builtin_trap();
  if (!std::equal(ranges.all().begin(), ranges.all().end(), reread.all().begin(),
                  reread.all().end())) {
    __builtin_trap();
  }
}

void check_date(std::string_view text) {
  const auto date = parse_http_date(text, kNow);
  if (!date || date->count() < 0) return;
  std::array<char, kImfFixdateBytes> out;
  write_imf_fixdate(out.data(), *date);
  const auto again = parse_http_date({out.data(), out.size()}, kNow);
  // The second behind the last that can be written: 60 in the year 9999.
  if (again != date && date->count() <= 253402300799) __builtin_trap();
}

void check_tag(std::string_view text) {
  const auto tag = parse_entity_tag(text);
  if (!tag) return;
  if (!weak_match(*tag, *tag) || strong_match(*tag, *tag) == tag->weak) __builtin_trap();
  const Validators current{.etag = tag};
  const std::array<Field, 1> none_match{{{"if-none-match", text}}};
  if (evaluate_conditions("GET", none_match, current, kNow) != Verdict::kNotModified) {
    __builtin_trap();
  }
  const std::array<Field, 1> match{{{"if-match", text}}};
  if ((evaluate_conditions("PUT", match, current, kNow) == Verdict::kProceed) == tag->weak) {
    __builtin_trap();
  }
}

}  // namespace

// The first byte is the size of the representation, or stands for the largest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  check_range(text, data[0] == 0xff ? UINT64_MAX : data[0]);
  check_date(text);
  check_tag(text);
  const Validators current{.etag = EntityTag{"a", false}, .last_modified = seconds{784111777}};
  for (const std::string_view name : {"if-match", "if-none-match", "if-modified-since"}) {
    const std::array<Field, 1> fields{{{name, text}}};
    const Verdict read = evaluate_conditions("GET", fields, current, kNow);
    const Verdict write = evaluate_conditions("PUT", fields, current, kNow);
    // Who may not even read may not write; who is told that it has the state may not either, but
    // for a date, which a change does not look at.
    if (read == Verdict::kPreconditionFailed && write != read) __builtin_trap();
    if (read == Verdict::kNotModified && write == Verdict::kProceed && name[3] == 'n') {
      __builtin_trap();
    }
  }
  return 0;
}
