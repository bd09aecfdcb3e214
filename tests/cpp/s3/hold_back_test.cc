#include "tercel/s3/hold_back.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

std::string bytes_of(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7);
  return bytes;
}

TEST(HoldBackTest, KeepsTheLastBytesWhateverThePiecesAre) {
  for (const std::size_t size : {0U, 1U, 8191U, 8192U, 8193U, 20'000U}) {
    const std::string body = bytes_of(size);
    const std::string_view all{body};
    for (const std::size_t step : {1U, 1000U, 8192U, 30'000U}) {
      HoldBack tail{size};
      std::string passed;
      for (std::size_t at = 0; at < size; at += step) passed += tail.pass(all.substr(at, step));
      const std::size_t kept = std::min<std::size_t>(size, HoldBack::kBytesMax);
      EXPECT_EQ(passed, all.substr(0, size - kept)) << size << " by " << step;
      EXPECT_EQ(tail.release(), all.substr(size - kept)) << size << " by " << step;
    }
  }
}

TEST(HoldBackTest, NothingOfALargeBodyIsCopiedBeforeItsEnd) {
  HoldBack tail{UINT64_MAX};
  const std::string piece = bytes_of(100'000);
  EXPECT_EQ(tail.pass(piece).data(), piece.data());
  EXPECT_EQ(tail.release(), "");
}

}  // namespace
}  // namespace tercel::s3
