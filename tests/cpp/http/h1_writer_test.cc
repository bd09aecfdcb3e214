#include "tercel/http/h1_writer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

std::string written(const Response& response, std::string_view prefix_fields = {}) {
  std::vector<char> out(head_bytes_bound(response) + prefix_fields.size());
  const char* const end = write_head(out.data(), response, prefix_fields);
  EXPECT_LE(end - out.data(), std::ssize(out));
  return {out.data(), static_cast<std::size_t>(end - out.data())};
}

constexpr std::string_view kValuePadding = "a value of more than sixteen bytes";

Response with_status(int status) {
  return {.status = static_cast<std::uint16_t>(status), .fields = {}};
}

Result<HeadFacts> inspect_field(const Field& field) {
  return inspect({.status = 200, .fields = {&field, 1}});
}

std::string with_byte(std::string_view before, char byte, std::string_view after) {
  return std::string{before}.append(1, byte).append(after);
}

TEST(InspectTest, GathersFacts) {
  const Field fields[] = {{"Content-Length", " 5 "}, {"DATE", "now"}, {"connection", "x, Close"}};
  Result<HeadFacts> facts = inspect({.status = 200, .fields = fields});
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->content_length, 5U);
  EXPECT_TRUE(facts->has_date);
  EXPECT_TRUE(facts->close);
  EXPECT_FALSE(facts->has_server);
  facts = inspect_field({"Server", "x"});
  EXPECT_TRUE(facts->has_server);
  EXPECT_FALSE(facts->content_length);
  EXPECT_FALSE(facts->has_date);
  EXPECT_FALSE(inspect_field({"Connection", "keep-alive, closed"})->close);
}

TEST(InspectTest, WantsAFinalStatus) {
  for (int status = 0; status <= UINT16_MAX; ++status) {
    const Response response = with_status(status);
    EXPECT_EQ(inspect(response).has_value(), status >= 200 && status <= 599) << status;
    EXPECT_EQ(inspect_interim(response).has_value(),
              status >= 100 && status <= 199 && status != 101)
        << status;
  }
  EXPECT_EQ(inspect(with_status(100)).error(), Errc::kBadResponseStatus);
  EXPECT_EQ(inspect_interim(with_status(200)).error(), Errc::kBadResponseStatus);
}

TEST(InspectTest, WantsAReasonWithoutControlBytes) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string reason = with_byte("Not ", static_cast<char>(byte), " found");
    const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    const Response response{.status = 404, .fields = {}, .reason = reason};
    EXPECT_EQ(inspect(response).has_value(), !control) << byte;
    if (control) {
      EXPECT_EQ(inspect(response).error(), Errc::kBadResponseStatus);
    }
  }
}

// No byte of an application makes a second field, a second response, or a field that peers read
// differently.
TEST(InspectTest, JudgesEveryByteOfANameAndAValue) {
  constexpr std::string_view kTokenOthers = "!#$%&'*+-.^_`|~";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool token =
        alphanumeric || (c != '\0' && kTokenOthers.find(c) != std::string_view::npos);
    const bool text = (i >= 0x20 && i != 0x7f) || c == '\t';
    for (std::string_view start : {"", "x", "x-name-of-sixteen-bytes-and-more"}) {
      const std::string name = with_byte(start, c, "");
      EXPECT_EQ(inspect_field({name, "y"}).has_value(), token) << i;
      const Field field{name, "y"};
      EXPECT_EQ(inspect_trailers({&field, 1}).has_value(), token) << i;
    }
    for (std::string_view start : {std::string_view{}, std::string_view{"x"}, kValuePadding}) {
      EXPECT_EQ(inspect_field({"x", with_byte(start, c, "y")}).has_value(), text) << i;
      EXPECT_EQ(inspect_field({"x", with_byte(start, c, "")}).has_value(), text) << i;
    }
  }
  EXPECT_EQ(inspect_field({"", "x"}).error(), Errc::kBadResponseField);
  EXPECT_EQ(inspect_field({"a", "b\r\nc: d"}).error(), Errc::kBadResponseField);
}

TEST(InspectTest, WantsOneDecimalContentLength) {
  for (std::string_view value : {"0", "5", "9223372036854775807"}) {
    EXPECT_TRUE(inspect_field({"content-length", value})) << value;
  }
  for (std::string_view value : {"", "-1", "+1", "0x10", "1_0", "1, 1", "9223372036854775808",
                                 "5 5", "18446744073709551616", "5.0"}) {
    EXPECT_EQ(inspect_field({"Content-Length", value}).error(), Errc::kBadResponseLength) << value;
  }
  const Field twice[] = {{"content-length", "5"}, {"Content-Length", "5"}};
  EXPECT_EQ(inspect({.status = 200, .fields = twice}).error(), Errc::kBadResponseLength);
}

TEST(WriteHeadTest, WritesTheFieldsOfTheApplication) {
  const Field fields[] = {{"Content-Type", "text/plain"},
                          {"X-A", " padded\t"},
                          {"X-Longer-Than-16-Bytes", "UP\xe9"},
                          {"X_Y", "z"},
                          {"etag", ""}};
  EXPECT_EQ(written({.status = 200, .fields = fields}, "server: tercel\r\n"),
            "HTTP/1.1 200 OK\r\nserver: tercel\r\ncontent-type: text/plain\r\nx-a: padded\r\n"
            "x-longer-than-16-bytes: UP\xe9\r\nx_y: z\r\netag: \r\n");
}

TEST(WriteHeadTest, LeavesOutWhatTheConnectionDecides) {
  for (std::string_view name :
       {"CONNECTION", "Keep-Alive", "proxy-connection", "Transfer-Encoding", "Upgrade"}) {
    const Field fields[] = {{"a", "1"}, {name, "x"}, {"b", "2"}};
    EXPECT_EQ(written({.status = 200, .fields = fields}), "HTTP/1.1 200 OK\r\na: 1\r\nb: 2\r\n");
  }
}

// RFC 9110 section 8.6.
TEST(WriteHeadTest, LeavesOutTheLengthWhereItIsForbidden) {
  const Field field{"Content-Length", "0"};
  EXPECT_EQ(written({.status = 204, .fields = {&field, 1}}), "HTTP/1.1 204 No Content\r\n");
  EXPECT_EQ(written({.status = 103, .fields = {&field, 1}}), "HTTP/1.1 103 Early Hints\r\n");
  EXPECT_EQ(written({.status = 304, .fields = {&field, 1}}),
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 0\r\n");
}

TEST(WriteHeadTest, LowersNamesOfEveryLength) {
  for (std::size_t size = 1; size <= 40; ++size) {
    std::string name(size, 'A');
    for (std::size_t i = 0; i < size; ++i) name[i] = "AZaz09-_^"[i % 9];
    std::string lower = name;
    for (char& c : lower) c = c == 'A' ? 'a' : c == 'Z' ? 'z' : c;
    const Field field{name, "X"};
    EXPECT_EQ(written({.status = 200, .fields = {&field, 1}}),
              "HTTP/1.1 200 OK\r\n" + lower + ": X\r\n");
  }
}

TEST(WriteHeadTest, TakesTheReasonOfTheApplication) {
  EXPECT_EQ(written({.status = 200, .fields = {}, .reason = "Fine"}), "HTTP/1.1 200 Fine\r\n");
  EXPECT_EQ(written({.status = 299, .fields = {}, .reason = "Caf\xe9\tau lait"}),
            "HTTP/1.1 299 Caf\xe9\tau lait\r\n");
  const std::string longest(1000, 'r');
  EXPECT_EQ(written({.status = 500, .fields = {}, .reason = longest}),
            "HTTP/1.1 500 " + longest + "\r\n");
}

TEST(WriteHeadTest, StaysWithinItsBound) {
  for (int status = 200; status <= 599; ++status) {
    const std::string head = written(with_status(status));
    EXPECT_TRUE(head.starts_with("HTTP/1.1 " + std::to_string(status) + " ")) << head;
    EXPECT_TRUE(head.ends_with("\r\n"));
  }
}

TEST(ReasonPhraseTest, IsThatOfTheRegistry) {
  EXPECT_EQ(reason_phrase(100), "Continue");
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(203), "Non-Authoritative Information");
  EXPECT_EQ(reason_phrase(413), "Content Too Large");
  EXPECT_EQ(reason_phrase(422), "Unprocessable Content");
  EXPECT_EQ(reason_phrase(511), "Network Authentication Required");
  for (int status : {0, 99, 199, 299, 306, 418, 430, 509, 599, 600, 65535}) {
    EXPECT_EQ(reason_phrase(static_cast<std::uint16_t>(status)), "") << status;
  }
  EXPECT_EQ(written(with_status(299)), "HTTP/1.1 299 \r\n");
}

TEST(WriteTrailersTest, EndTheChunkedBody) {
  const auto trailers = [](std::span<const Field> fields) {
    std::vector<char> out(trailers_bytes_bound(fields));
    const char* const end = write_trailers(out.data(), fields);
    EXPECT_LE(end - out.data(), std::ssize(out));
    return std::string(out.data(), static_cast<std::size_t>(end - out.data()));
  };
  EXPECT_EQ(trailers({}), kLastChunk);
  const Field fields[] = {{"Server-Timing", "db;dur=5"}, {"Content-Length", "5"}, {"X", " y "}};
  EXPECT_EQ(trailers(fields), "0\r\nserver-timing: db;dur=5\r\nx: y\r\n\r\n");
}

TEST(WriteContentLengthTest, WritesDecimal) {
  char out[kFramingBytesMax];
  EXPECT_EQ(std::string(out, write_content_length(out, 0)), "content-length: 0\r\n");
  EXPECT_EQ(std::string(out, write_content_length(out, UINT64_MAX)),
            "content-length: 18446744073709551615\r\n");
}

TEST(WriteChunkLineTest, WritesHexadecimal) {
  char out[kChunkLineBytesMax];
  EXPECT_EQ(std::string(out, write_chunk_line(out, 1)), "1\r\n");
  EXPECT_EQ(std::string(out, write_chunk_line(out, 31)), "1f\r\n");
  EXPECT_EQ(std::string(out, write_chunk_line(out, UINT64_MAX)), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace tercel::http
