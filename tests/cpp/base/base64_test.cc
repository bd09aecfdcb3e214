#include "tercel/base/base64.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace tercel {
namespace {

std::string encoded(std::string_view text) {
  std::array<char, 64> out;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  return std::string{base64_encode({bytes, text.size()}, out.data())};
}

// Source: RFC 4648 section 10.
TEST(Base64Test, EncodesThePublishedVectors) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encoded("\xff\xfe\xfb"), "//77");
}

TEST(Base64Test, KnowsWhatATextStandsFor) {
  EXPECT_EQ(base64_decoded_bytes(""), 0U);
  EXPECT_EQ(base64_decoded_bytes("Zg=="), 1U);
  EXPECT_EQ(base64_decoded_bytes("Zm8="), 2U);
  EXPECT_EQ(base64_decoded_bytes("Zm9v"), 3U);
  EXPECT_EQ(base64_decoded_bytes("dGhlIHNhbXBsZSBub25jZQ=="), 16U);
}

TEST(Base64Test, RefusesWhatIsNone) {
  for (const std::string_view text : {"Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9-", "Zm9_",
                                      "Zm 9", "Zm9v\n", "=Zg=", "Zh==", "Zm9=", "Zg=v"}) {
    EXPECT_EQ(base64_decoded_bytes(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tercel
