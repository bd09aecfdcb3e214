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

TEST(CheckTest, ThreadsThatAreMoreThanALimitHasPlacesAreRefused) {
  Settings settings;
  settings.io_threads = 4;
  settings.limit_connections = 4;
  settings.limit_concurrency = 4;
  EXPECT_EQ(check(settings), std::nullopt);
  settings.limit_concurrency = 3;
  EXPECT_EQ(check(settings),
            Problem{"io-threads 4 is more than limit-concurrency 3, which the threads share: lower "
                    "the one or raise the other."});
  settings.limit_connections = 2;
  EXPECT_EQ(check(settings),
            Problem{"io-threads 4 is more than limit-connections 2, which the threads share: lower "
                    "the one or raise the other."});
}

}  // namespace
}  // namespace tercel::config
