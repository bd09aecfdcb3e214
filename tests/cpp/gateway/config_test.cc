#include "tercel/gateway/config.h"

#include <utility>

#include <gtest/gtest.h>

namespace tercel::gateway {
namespace {

SharedConst<Config> in_region(std::string region) {
  Config config;
  config.region = std::move(region);
  return SharedConst{std::move(config)};
}

TEST(ConfigViewTest, SeesWhatReplacedTheOneBeforeWhichARequestMayKeep) {
  LiveConfig live{in_region("one")};
  ConfigView view{live};
  const SharedConst<Config> kept = view.current();
  live.replace(in_region("two"));
  EXPECT_EQ(view.current()->region, "two");
  EXPECT_EQ(kept->region, "one");
}

}  // namespace
}  // namespace tercel::gateway
