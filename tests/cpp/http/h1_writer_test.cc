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

TEST(WriteHeadTest, WritesTheFieldsOfTheApplication) {
  const Field fields[] = {{"Content-Type", "text/plain"},
                          {"CONNECTION", "close"},
                          {"X-A", " padded\t"},
                          {"transfer-encoding", "chunked"},
                          {"etag", ""}};
  EXPECT_EQ(written({.status = 200, .fields = fields}, "server: tercel\r\n"),
            "HTTP/1.1 200 OK\r\nserver: tercel\r\ncontent-type: text/plain\r\nx-a: padded\r\n"
            "etag: \r\n");
}

TEST(InspectTest, GathersFacts) {
  const Field fields[] = {{"Content-Length", "5"}, {"Date", "now"}, {"connection", "x, Close"}};
  auto facts = inspect({.status = 200, .fields = fields});
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->content_length, 5U);
  EXPECT_TRUE(facts->has_date);
  EXPECT_TRUE(facts->close);
  EXPECT_FALSE(facts->has_server);
}

TEST(InspectTest, RefusesInjection) {
  for (const Field field : {Field{"a b", ""}, Field{"", ""}, Field{"a\r\nb", ""},
                            Field{"a", "b\r\nc: d"}, Field{"a", std::string_view{"\0", 1}}}) {
    EXPECT_EQ(inspect({.status = 200, .fields = {&field, 1}}).error(), Errc::kBadResponseField);
  }
}

TEST(WriteChunkLineTest, WritesHexadecimal) {
  char out[kChunkLineBytesMax];
  EXPECT_EQ(std::string(out, write_chunk_line(out, 31)), "1f\r\n");
  EXPECT_EQ(std::string(out, write_chunk_line(out, UINT64_MAX)), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace tercel::http
