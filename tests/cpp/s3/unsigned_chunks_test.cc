#include "tercel/s3/unsigned_chunks.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "s3/aws_chunked_input.h"

namespace tercel::s3 {
namespace {

// In pieces of `step` bytes.
std::string encode(std::string_view data, ChecksumAlgorithm algorithm, std::size_t step) {
  UnsignedChunks chunks{data.size(), algorithm};
  std::string out;
  for (std::size_t at = 0; at < data.size(); at += step) {
    std::string_view piece = data.substr(at, step);
    while (!piece.empty()) {
      const std::string_view text = chunks.next(piece);
      EXPECT_FALSE(text.empty());
      out += text;
    }
  }
  out += chunks.finish(checksum_of(algorithm, data));
  EXPECT_EQ(out.size(), UnsignedChunks::encoded_bytes(data.size(), algorithm)) << data.size();
  return out;
}

TEST(UnsignedChunksTest, IsWhatClientsSend) {
  EXPECT_EQ(encode("hello", ChecksumAlgorithm::kCrc32, 100),
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
  EXPECT_EQ(encode("hello", ChecksumAlgorithm::kCrc32, 2),
            encode("hello", ChecksumAlgorithm::kCrc32, 5));
  EXPECT_EQ(encode("", ChecksumAlgorithm::kCrc32, 1), "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n");
}

TEST(UnsignedChunksTest, IsDecodedAgainWhateverItsSizeIs) {
  constexpr std::size_t kChunk = UnsignedChunks::kChunkBytes;
  std::string data(3 * kChunk + 1, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31 >> 3);
  for (const auto algorithm :
       {ChecksumAlgorithm::kCrc32, ChecksumAlgorithm::kCrc32c, ChecksumAlgorithm::kCrc64Nvme,
        ChecksumAlgorithm::kSha1, ChecksumAlgorithm::kSha256}) {
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{255}, std::size_t{256},
          kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 3 * kChunk + 1}) {
      const std::string_view part = std::string_view{data}.substr(0, size);
      const std::string encoded = encode(part, algorithm, 1000);
      EXPECT_EQ(encode(part, algorithm, size), encoded);
      const AwsChunkedOptions options{.decoded_bytes = size, .checksum = algorithm};
      EXPECT_TRUE(decode_in_steps(options, /*sign=*/false, encoded, 777) ==
                  std::string{part} + " complete")
          << size;
    }
  }
}

}  // namespace
}  // namespace tercel::s3
