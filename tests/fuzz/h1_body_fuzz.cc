// Invariants: however a body arrives, it is the same; no byte is consumed twice or made up; the
// limits hold.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/h1_input.h"
#include "tercel/http/h1_body.h"

// The first byte says in which steps the rest arrives, the second what body it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tercel::http;
  if (size < 2) return 0;
  const std::size_t step = 1 + data[0];
  const std::string_view input{reinterpret_cast<const char*>(data) + 2, size - 2};
  const BodyDecoder decoder =
      data[1] % 4 == 0 ? BodyDecoder::length(data[1] / 4U) : BodyDecoder::chunked();
  Limits limits;
  if (data[1] % 4 == 2) {
    limits = {.fields_max = 3,
              .body_bytes_max = 100,
              .trailer_bytes_max = 64,
              .chunk_line_bytes_max = 32};
  }

  const DecodedBody whole = decode_in_steps(decoder, input, limits, input.size() + 1);
  const DecodedBody stepped = decode_in_steps(decoder, input, limits, step);
  const bool late = stepped.status == BodyStatus::kNeedMore && whole.status == BodyStatus::kBad &&
                    !input.ends_with('\n');
  if (stepped.data != whole.data) __builtin_trap();
  if (!late && (stepped.status != whole.status || stepped.error != whole.error)) __builtin_trap();
  if (stepped.trailers != whole.trailers) __builtin_trap();
  if (whole.status == BodyStatus::kEnd && stepped.consumed != whole.consumed) __builtin_trap();
  if (whole.consumed > input.size() || whole.data.size() > whole.consumed) __builtin_trap();
  if (whole.data.size() > limits.body_bytes_max) __builtin_trap();
  return 0;
}
