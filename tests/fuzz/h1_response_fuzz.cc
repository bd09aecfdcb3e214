// Invariants: however a response head arrives, its verdict is the same; what is done lies within
// the bytes; nothing is written but letters of names; its framing is one of the fields'; who did
// not ask for another protocol gets none.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "h1_head_checks.h"
#include "tercel/http/h1_response.h"

namespace {

using namespace tercel::http;

void check_done(const ResponseHead& head, std::span<const char> bytes) {
  const std::span<const char> used = bytes.first(head.bytes);
  check(head.status >= 100 && head.status <= 599);
  check(within(head.reason, used));
  check_fields(head.fields, used);
  check(head.framing != ResponseFraming::kLength || head.content_length.has_value());
  check(head.framing != ResponseFraming::kChunked || !head.content_length.has_value());
  check(head.framing != ResponseFraming::kUntilClose || !head.keep_alive);
  check(!head.interim() || head.framing == ResponseFraming::kNone);
  check(!head.switches() || head.framing == ResponseFraming::kUntilClose);
}

bool same(const ResponseHead& a, const ResponseHead& b) {
  if (a.verdict != b.verdict) return false;
  if (a.verdict == HeadStatus::kBad) return a.error == b.error;
  if (a.verdict == HeadStatus::kNeedMore) return true;
  return a.bytes == b.bytes && a.status == b.status && a.reason == b.reason &&
         a.framing == b.framing && a.keep_alive == b.keep_alive &&
         a.content_length == b.content_length && same_fields(a.fields, b.fields);
}

}  // namespace

// The first byte says in which steps the rest arrives, the second which limits hold, and whether
// the request was HEAD, or asked for an upgrade.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = 1 + data[0];
  Limits limits;
  if (data[1] % 2 == 1) limits = {.head_bytes_max = 256, .fields_max = 8};
  const AnswerTo request = (data[1] & 2) != 0   ? AnswerTo::kHead
                           : (data[1] & 4) != 0 ? AnswerTo::kUpgrade
                                                : AnswerTo::kOther;
  const std::string_view input{reinterpret_cast<const char*>(data) + 2, size - 2};

  check_arrival(
      input, step,
      [request, &limits](std::span<char> bytes, std::size_t previous_bytes, HeadBuffer& fields) {
        const auto head = parse_response_head(bytes, previous_bytes, request, limits, fields);
        const bool switches = head.verdict == HeadStatus::kDone && head.switches();
        check(!switches || request == AnswerTo::kUpgrade);
        return head;
      },
      [](const ResponseHead& head) { return head.verdict; }, same, check_done);
  return 0;
}
