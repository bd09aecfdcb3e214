#include "tercel/s3/old_digests.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

template <typename Digest>
std::string hex(const Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

template <typename Hash>
std::string digest(std::string_view message, std::size_t step) {
  Hash hash;
  for (std::size_t at = 0; at < message.size(); at += step) hash.update(message.substr(at, step));
  return hex(hash.finish());
}

// FIPS 180-2 appendix A.
TEST(OldDigestsTest, Sha1KnowsThePublishedVectors) {
  const std::string_view two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  for (const std::size_t step : {1, 7, 1000}) {
    EXPECT_EQ(digest<Sha1>("abc", step), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(digest<Sha1>(two, step), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    EXPECT_EQ(digest<Sha1>("", step), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  }
}

// RFC 1321 appendix A.5.
TEST(OldDigestsTest, Md5KnowsThePublishedVectors) {
  const std::string_view two =
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890";
  for (const std::size_t step : {1, 7, 1000}) {
    EXPECT_EQ(digest<Md5>("abc", step), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(digest<Md5>(two, step), "57edf4a22be3c955ac49da2e2107b67a");
    EXPECT_EQ(digest<Md5>("", step), "d41d8cd98f00b204e9800998ecf8427e");
  }
}

}  // namespace
}  // namespace tercel::s3
