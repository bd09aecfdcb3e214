#include "tercel/config/bind.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::config {
namespace {

TEST(BindTest, EveryFormIsReadAndWrittenBack) {
  const struct {
    std::string text;
    Bind bind;
  } cases[] = {
      {"127.0.0.1:8000", {.host = "127.0.0.1", .port = 8000}},
      {"localhost:0", {.host = "localhost", .port = 0}},
      {"[::1]:65535", {.host = "::1", .port = 65535}},
      {"[fe80::1%eth0]:80", {.host = "fe80::1%eth0", .port = 80}},
      {"unix:/run/app.sock", {.kind = BindKind::kUnix, .path = "/run/app.sock"}},
      {"unix:relative:name", {.kind = BindKind::kUnix, .path = "relative:name"}},
      {"fd://3", {.kind = BindKind::kDescriptor, .descriptor = 3}},
  };
  for (const auto& [text, bind] : cases) {
    EXPECT_EQ(parse_bind(text), std::optional{bind}) << text;
    EXPECT_EQ(format(bind), text);
  }
}

TEST(BindTest, OtherTextsAreRefused) {
  for (const char* text : {"",
                           "8000",
                           ":8000",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:0x50",
                           "::1:8000",
                           "[127.0.0.1]:80",
                           "[]:80",
                           "[::1]",
                           "[::1]80",
                           "::1]:80",
                           "http://127.0.0.1:80",
                           "a b:80",
                           "unix:",
                           "fd://",
                           "fd://-1",
                           "fd://x",

                           "fd://2147483648"}) {
    EXPECT_EQ(parse_bind(text), std::nullopt) << text;
  }
}

// Source: unix(7): sun_path holds 108 bytes, the last one the end of the string.
TEST(BindTest, UnixPathsFitIntoAnAddress) {
  EXPECT_TRUE(parse_bind("unix:" + std::string(107, 'p')));
  EXPECT_FALSE(parse_bind("unix:" + std::string(108, 'p')));
}

TEST(BindTest, HostAndPortAreUsedWhenNothingElseIsGiven) {
  Settings settings;
  settings.host = "::1";
  settings.port = 9000;
  EXPECT_EQ(binds(settings), (std::vector<Bind>{{.host = "::1", .port = 9000}}));
}

TEST(BindTest, BindUdsAndFdAddUp) {
  Settings settings;
  settings.bind = {"127.0.0.1:1", "[::1]:1"};
  settings.uds = "/run/x";
  settings.fd = "4";
  EXPECT_EQ(binds(settings), (std::vector<Bind>{{.host = "127.0.0.1", .port = 1},
                                                {.host = "::1", .port = 1},
                                                {.kind = BindKind::kUnix, .path = "/run/x"},
                                                {.kind = BindKind::kDescriptor, .descriptor = 4}}));
}

}  // namespace
}  // namespace tercel::config
