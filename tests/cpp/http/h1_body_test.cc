#include "tercel/http/h1_body.h"

#include <string>

#include <gtest/gtest.h>

#include "http/h1_input.h"

namespace tercel::http {
namespace {

const Limits kLimits;

// The result for `input`, which must not depend on how it arrives.
DecodedBody decode(BodyDecoder decoder, std::string_view input, const Limits& limits = kLimits) {
  const DecodedBody whole = decode_in_steps(decoder, input, limits, input.size() + 1);
  for (std::size_t step = 1; step <= input.size(); ++step) {
    const DecodedBody stepped = decode_in_steps(decoder, input, limits, step);
    EXPECT_EQ(stepped.status, whole.status) << input << " in steps of " << step;
    EXPECT_EQ(stepped.data, whole.data) << input << " in steps of " << step;
    EXPECT_EQ(stepped.trailers, whole.trailers) << input << " in steps of " << step;
    EXPECT_EQ(stepped.error, whole.error) << input << " in steps of " << step;
  }
  return whole;
}

TEST(BodyDecoderTest, TakesExactlyTheLength) {
  const DecodedBody body = decode(BodyDecoder::length(5), "helloGET /");
  EXPECT_EQ(body.status, BodyStatus::kEnd);
  EXPECT_EQ(body.data, "hello");
  EXPECT_EQ(body.consumed, 5U);
}

TEST(BodyDecoderTest, TakesChunksApart) {
  const DecodedBody body = decode(
      BodyDecoder::chunked(),
      "5\r\nhello\r\n0006;a=b;c;d=\"q;\\\"x\"\r\n world\r\n0\r\nX-T: 1\r\nHost: no\r\n\r\nGET");
  EXPECT_EQ(body.status, BodyStatus::kEnd);
  EXPECT_EQ(body.data, "hello world");
  EXPECT_EQ(body.trailers, "x-t=1;");
}

TEST(BodyDecoderTest, RefusesMalformedChunks) {
  for (std::string_view input :
       {"5\rhello\r\n", "+5\r\nhello", "-5\r\n", "0_5\r\n", "0x5\r\n", "\r\nhello", "5 \r\nhello",
        "5;\r\n", "5;a[=b\r\n", "5;a\nb\r\n", "5;a\rb\r\n", "5\r\nhelloXX0\r\n",
        "5\r\nhello\n0\r\n", "10000000000000005\r\n", "00000000000000005\r\n", "5;a=\"\n\"\r\n"}) {
    EXPECT_EQ(decode(BodyDecoder::chunked(), input).error, Errc::kBadChunk) << input;
  }
}

}  // namespace
}  // namespace tercel::http
