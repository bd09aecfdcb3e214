#include "tercel/http/h1_body.h"

#include <string>

#include <gtest/gtest.h>

#include "http/h1_input.h"

namespace tercel::http {
namespace {

const Limits kLimits;

// The result for `input`, which must not depend on how it arrives: except that a line known to be
// bad before it ends may be found so only when it ends, if its parts come alone.
DecodedBody decode(BodyDecoder decoder, std::string_view input, const Limits& limits = kLimits) {
  const DecodedBody whole = decode_in_steps(decoder, input, limits, input.size() + 1);
  for (std::size_t step = 1; step <= input.size(); ++step) {
    const DecodedBody stepped = decode_in_steps(decoder, input, limits, step);
    EXPECT_EQ(stepped.data, whole.data) << input << " in steps of " << step;
    const bool late = whole.status == BodyStatus::kBad && !input.ends_with('\n');
    if (late && stepped.status == BodyStatus::kNeedMore) continue;
    EXPECT_EQ(stepped.status, whole.status) << input << " in steps of " << step;
    EXPECT_EQ(stepped.error, whole.error) << input << " in steps of " << step;
    EXPECT_EQ(stepped.trailers, whole.trailers) << input << " in steps of " << step;
  }
  return whole;
}

DecodedBody chunked(std::string_view input, const Limits& limits = kLimits) {
  return decode(BodyDecoder::chunked(), input, limits);
}

std::string verdict(const DecodedBody& body) {
  if (body.status == BodyStatus::kBad) return std::string{info(body.error).name};
  if (body.status == BodyStatus::kNeedMore) return "need more, has " + body.data;
  return body.data + "|" + body.trailers;
}

TEST(BodyDecoderTest, EndsAtOnceWithoutABody) {
  EXPECT_TRUE(BodyDecoder{}.done());
  EXPECT_TRUE(BodyDecoder::length(0).done());
  EXPECT_EQ(decode(BodyDecoder{}, "GET /").consumed, 0U);
  EXPECT_EQ(verdict(decode(BodyDecoder::length(0), "")), "|");
}

TEST(LengthBodyTest, TakesExactlyTheLength) {
  const DecodedBody body = decode(BodyDecoder::length(5), "helloGET /");
  EXPECT_EQ(verdict(body), "hello|");
  EXPECT_EQ(body.consumed, 5U);
  EXPECT_EQ(verdict(decode(BodyDecoder::length(6), "hello")), "need more, has hello");
}

TEST(LengthBodyTest, SaysWhatIsMissing) {
  BodyDecoder decoder = BodyDecoder::length(UINT64_C(1) << 40);
  HeadBuffer fields;
  std::string input = "hello";
  const Limits limits{.body_bytes_max = 0};
  EXPECT_EQ(decoder.decode(input, limits, fields).status, BodyStatus::kData);
  EXPECT_EQ(decoder.missing(), (UINT64_C(1) << 40) - 5);
  EXPECT_EQ(decoder.decode({}, limits, fields).status, BodyStatus::kNeedMore);
  EXPECT_FALSE(decoder.done());
}

TEST(LengthBodyTest, GoesOnUnseenUpToItsEnd) {
  BodyDecoder decoder = BodyDecoder::length(10);
  EXPECT_EQ(decoder.unseen(), 10U);
  decoder.pass(4);
  EXPECT_EQ(decoder.unseen(), 6U);
  HeadBuffer fields;
  std::string input = "abcdefGET /";
  const BodyPart part = decoder.decode(input, kLimits, fields);
  EXPECT_EQ(part.status, BodyStatus::kEnd);
  EXPECT_EQ(part.data, "abcdef");
  EXPECT_EQ(decoder.unseen(), 0U);

  BodyDecoder whole = BodyDecoder::length(10);
  whole.pass(10);
  EXPECT_TRUE(whole.done());
  EXPECT_EQ(whole.decode(input, kLimits, fields).consumed, 0U);
  EXPECT_EQ(BodyDecoder{}.unseen(), 0U);
  EXPECT_EQ(BodyDecoder::chunked().unseen(), 0U);
  EXPECT_EQ(BodyDecoder::unframed().unseen(), 0U);
}

TEST(LengthBodyTest, IsHeldToTheLimit) {
  const Limits limits{.body_bytes_max = 4};
  EXPECT_EQ(verdict(decode(BodyDecoder::length(4), "hell", limits)), "hell|");
  EXPECT_EQ(verdict(decode(BodyDecoder::length(5), "hello", limits)), "BodyTooLarge");
}

TEST(ChunkedBodyTest, PutsChunksTogether) {
  const std::string input = "5\r\nhello\r\n0006\r\n world\r\n0\r\n\r\n";
  const DecodedBody body = chunked(input + "GET /");
  EXPECT_EQ(verdict(body), "hello world|");
  EXPECT_EQ(body.consumed, input.size());
  EXPECT_EQ(verdict(chunked("0\r\n\r\n")), "|");
  EXPECT_EQ(verdict(chunked("a\r\n0\r\n\r\n0\r\n\r\n\r\n000\r\n\r\n")), "0\r\n\r\n0\r\n\r\n|");
  EXPECT_EQ(verdict(chunked("1A\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n")),
            std::string(26, 'x') + "|");
}

TEST(ChunkedBodyTest, ReturnsOneChunkACallWithoutACopy) {
  std::string input = "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
  BodyDecoder decoder = BodyDecoder::chunked();
  HeadBuffer fields;
  BodyPart part = decoder.decode(input, kLimits, fields);
  EXPECT_EQ(part.data.data(), input.data() + 3);
  EXPECT_EQ(part.data, "ab");
  std::span<char> rest{input};
  rest = rest.subspan(part.consumed);
  part = decoder.decode(rest, kLimits, fields);
  EXPECT_EQ(part.data, "cde");
  part = decoder.decode(rest.subspan(part.consumed), kLimits, fields);
  EXPECT_EQ(part.status, BodyStatus::kEnd);
  EXPECT_TRUE(decoder.done());
}

TEST(ChunkedBodyTest, IsIncompleteUntilItsLastByte) {
  const std::string input = "5\r\nhello\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size < input.size(); ++size) {
    EXPECT_EQ(chunked(input.substr(0, size)).status, BodyStatus::kNeedMore) << size;
  }
}

// Size fields are where HTTP servers fall.
TEST(ChunkSizeTest, IsOneHexadecimalNumberAndNothingElse) {
  for (std::string_view line : {"5", "05", "0000000000000005"}) {
    EXPECT_EQ(verdict(chunked(std::string{line} + "\r\nhello\r\n0\r\n\r\n")), "hello|") << line;
  }
  for (std::string_view line : {"",
                                " 5",
                                "\t5",
                                "5 ",
                                "5\t",
                                "+5",
                                "-5",
                                "0x5",
                                "5h",
                                "0_5",
                                "5_",
                                "5,5",
                                "5.0",
                                "5 5",
                                "\xb2",
                                "5\r",
                                "5\rhello",
                                "5\n",
                                "g",
                                "00000000000000005",
                                "10000000000000000",
                                "10000000000000005",
                                "ffffffffffffffffff"}) {
    EXPECT_EQ(verdict(chunked(std::string{line} + "\r\nhello\r\n0\r\n\r\n")), "BadChunk") << line;
  }
  EXPECT_EQ(verdict(chunked(std::string_view{"5\0\r\nhello\r\n", 11})), "BadChunk");
  EXPECT_EQ(verdict(chunked(std::string(5000, '0') + "5\r\nhello")), "BadChunk");
}

TEST(ChunkSizeTest, IsRefusedAtTheByteThatMakesItBad) {
  for (std::string_view line :
       {"x", "-", " ", "\r\r", "5\r\r", "5 ;;", "5;a=\"\x01", "00000000000000000"}) {
    EXPECT_EQ(verdict(chunked(line)), "BadChunk") << line;
  }
}

TEST(ChunkSizeTest, TotalIsHeldToTheLimit) {
  const Limits limits{.body_bytes_max = 10};
  EXPECT_EQ(verdict(chunked("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", limits)), "helloworld|");
  EXPECT_EQ(verdict(chunked("5\r\nhello\r\n6\r\n", limits)), "BodyTooLarge");
  EXPECT_EQ(verdict(chunked("b\r\n", limits)), "BodyTooLarge");
  EXPECT_EQ(verdict(chunked("ffffffffffffffff\r\n", limits)), "BodyTooLarge");
}

// Without a limit the sum of the sizes must not wrap.
TEST(ChunkSizeTest, TotalDoesNotWrap) {
  const Limits limits{.body_bytes_max = 0};
  EXPECT_EQ(verdict(chunked("ffffffffffffffff\r\n", limits)), "BodyTooLarge");
  EXPECT_EQ(verdict(chunked("8000000000000000\r\n", limits)), "BodyTooLarge");
  EXPECT_EQ(verdict(chunked("7fffffffffffffff\r\n", limits)), "need more, has ");
  EXPECT_EQ(verdict(chunked("1\r\nx\r\n7fffffffffffffff\r\n", limits)), "BodyTooLarge");
  EXPECT_EQ(verdict(chunked("1\r\nx\r\nffffffffffffffff\r\n", limits)), "BodyTooLarge");
}

TEST(ChunkDataTest, IsFollowedByCrlf) {
  for (std::string_view end : {"XX", "\n", "\r", "\rX", "0\r\n", " \r\n", "\n\r", "\r\r\n"}) {
    EXPECT_EQ(verdict(chunked("5\r\nhello" + std::string{end} + "0\r\n\r\n")), "BadChunk") << end;
  }
  EXPECT_EQ(verdict(chunked("3\r\nhello\r\n0\r\n\r\n")), "BadChunk");
}

TEST(ChunkExtensionTest, IsCheckedAndDropped) {
  for (std::string_view extension :
       {";a", ";a=b", ";a;b", ";a=b;c=\"d\"", ";a=\"\"", ";a=\"q;\\\"\r\"", " ; a = b",
        "\t;\ta\t=\t\"b c\"", ";a =b ;c", ";!#$%&'*+-.^_`|~=~", ";a=\"\xe9\t\\\xe9\""}) {
    const bool bad = extension.find('\r') != std::string_view::npos;
    EXPECT_EQ(verdict(chunked("5" + std::string{extension} + "\r\nhello\r\n0" +
                              std::string{extension} + "\r\n\r\n")),
              bad ? "BadChunk" : "hello|")
        << extension;
  }
}

TEST(ChunkExtensionTest, IsRefusedWhenMalformed) {
  for (std::string_view extension :
       {";",         "; ",          ";;",    ";a;",   ";a=",       ";a=;",        ";=b",
        ";a[=b",     ";a=b c",      ";a b",  ";a ",   ";a=b ",     ";a=\"b",      ";a=\"b\"c",
        ";a=\"b\" ", ";a=\"\\\"",   ";a\nb", ";a\rb", ";a=\"\n\"", ";a=\"\\\n\"", ";\xe9",
        " a",        ";a=\"\x7f\"", ";a==b", "=b",    ",a"}) {
    EXPECT_EQ(verdict(chunked("5" + std::string{extension} + "\r\nhello\r\n0\r\n\r\n")), "BadChunk")
        << extension;
  }
}

// CVE-2024-22019 and CVE-2025-55315 of other servers.
TEST(ChunkExtensionTest, CannotHideALineEnd) {
  EXPECT_EQ(verdict(chunked("2;\nxx\r\n28\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")),
            "BadChunk");
  EXPECT_EQ(verdict(chunked("5;a=\"\nb\"\r\nhello\r\n0\r\n\r\n")), "BadChunk");
}

TEST(ChunkExtensionTest, LineIsHeldToTheLimit) {
  const Limits limits{.chunk_line_bytes_max = 16};
  const std::string longest = "1;" + std::string(12, 'a');
  EXPECT_EQ(verdict(chunked(longest + "\r\nx\r\n0\r\n\r\n", limits)), "x|");
  EXPECT_EQ(verdict(chunked(longest + "a\r\nx\r\n0\r\n\r\n", limits)), "BadChunk");
  EXPECT_EQ(verdict(chunked(longest + "aa", limits)), "BadChunk");
  EXPECT_EQ(verdict(chunked(longest + "a", limits)), "need more, has ");
}

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// Kilobytes of extensions for a byte of data: refused as a whole, though every line is in bounds.
TEST(ChunkExtensionTest, AreBoundedInSum) {
  const std::string chunk = "1;" + std::string(1000, 'a') + "\r\nx\r\n";
  // Gives the number of data bytes, or the error.
  const auto whole = [](std::string input) -> std::string {
    BodyDecoder decoder = BodyDecoder::chunked();
    HeadBuffer fields;
    std::size_t data_bytes = 0;
    for (std::span<char> rest{input};;) {
      const BodyPart part = decoder.decode(rest, kLimits, fields);
      rest = rest.subspan(part.consumed);
      data_bytes += part.data.size();
      if (part.status == BodyStatus::kBad) return std::string{info(part.error).name};
      if (part.status != BodyStatus::kData) return std::to_string(data_bytes);
    }
  };
  EXPECT_EQ(whole(repeat(chunk, 16) + "0\r\n\r\n"), "16");
  EXPECT_EQ(whole(repeat(chunk, 20) + "0\r\n\r\n"), "BadChunk");
  // 16 bytes a chunk and two for each byte of data are free, for ever.
  const std::string free = "1;" + std::string(14, 'a') + "\r\nx\r\n";
  EXPECT_EQ(whole(repeat(free, 20000) + "0\r\n\r\n"), "20000");
  const std::string one_more = "1;" + std::string(15, 'a') + "\r\nx\r\n";
  EXPECT_EQ(whole(repeat(one_more, 16384)), "16384");
  EXPECT_EQ(whole(repeat(one_more, 16385)), "BadChunk");
}

TEST(TrailerTest, ComeWithTheEnd) {
  EXPECT_EQ(verdict(chunked("0\r\nX-T: 1\r\nEtag:\t\"x\" \r\n\r\nGET")), "|x-t=1;etag=\"x\";");
}

TEST(TrailerTest, AreDroppedWhereTheHeadDecides) {
  for (std::string_view name : {"Content-Length",
                                "HOST",
                                "Transfer-Encoding",
                                "Authorization",
                                "Cookie",
                                "Set-Cookie",
                                "Content-Type",
                                "Content-Encoding",
                                "Content-Range",
                                "TE",
                                "Trailer",
                                "Expect",
                                "If-Match",
                                "If-Modified-Since",
                                "Cache-Control",
                                "Connection",
                                "Keep-Alive",
                                "Upgrade",
                                "Range",
                                "Proxy-Authorization",
                                "X-Forwarded-For",
                                "Forwarded",
                                "Max-Forwards",
                                "Date",
                                "Location"}) {
    EXPECT_EQ(verdict(chunked("0\r\nA: 1\r\n" + std::string{name} + ": evil\r\nB: 2\r\n\r\n")),
              "|a=1;b=2;")
        << name;
  }
}

TEST(TrailerTest, FollowTheSyntaxOfFields) {
  for (std::string_view section :
       {"broken\r\n\r\n", "X: y\n\r\n", "X: y\r\n z\r\n\r\n", " X: y\r\n\r\n", "X : y\r\n\r\n",
        ": y\r\n\r\n", "\n", "\r\r\n", "X\r\nGET /smuggled HTTP/1.1\r\n\r\n", "X: \x01\r\n\r\n",
        "X: y\r\r\n\r\n"}) {
    EXPECT_EQ(verdict(chunked("0\r\n" + std::string{section})), "BadField") << section;
  }
}

TEST(TrailerTest, AreHeldToTheLimits) {
  const Limits limits{.fields_max = 2, .trailer_bytes_max = 20};
  EXPECT_EQ(verdict(chunked("0\r\nX: " + std::string(13, 'y') + "\r\n\r\n", limits)),
            "|x=" + std::string(13, 'y') + ";");
  EXPECT_EQ(verdict(chunked("0\r\nX: " + std::string(14, 'y') + "\r\n\r\n", limits)),
            "TrailersTooLarge");
  EXPECT_EQ(verdict(chunked("0\r\n" + std::string(20, 'x'), limits)), "TrailersTooLarge");
  EXPECT_EQ(verdict(chunked("0\r\n" + std::string(19, 'x'), limits)), "need more, has ");
  EXPECT_EQ(verdict(chunked("0\r\na:\r\nb:\r\n\r\n", limits)), "|a=;b=;");
  EXPECT_EQ(verdict(chunked("0\r\na:\r\nb:\r\nc:\r\n\r\n", limits)), "TooManyFields");
  EXPECT_EQ(verdict(chunked("0\r\nhost:\r\nte:\r\nc:\r\n\r\n", limits)), "TooManyFields");
}

}  // namespace
}  // namespace tercel::http
