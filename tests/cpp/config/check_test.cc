#include "tercel/config/check.h"

#include <gtest/gtest.h>

namespace tercel::config {
namespace {

TEST(CheckTest, DefaultsAgree) {
  EXPECT_EQ(check(Settings{}), std::nullopt);
}

TEST(CheckTest, AnAddressTwiceIsNamed) {
  Settings settings;
  settings.bind = {"127.0.0.1:80", "[::1]:80", "127.0.0.1:80"};
  EXPECT_EQ(check(settings), Problem{"bind names \"127.0.0.1:80\" twice: remove one of them."});
}

TEST(CheckTest, TwoFreePortsOfOneHostAreTwoAddresses) {
  Settings settings;
  settings.bind = {"127.0.0.1:0", "127.0.0.1:0"};
  EXPECT_EQ(check(settings), std::nullopt);
}

}  // namespace
}  // namespace tercel::config
