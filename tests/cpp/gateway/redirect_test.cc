#include "tercel/gateway/redirect.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::gateway {
namespace {

class RedirectTest : public testing::Test {
 protected:
  RedirectTest() {
    backend_.host = "s3.store.test";
    backend_.pool_key = "pool";
    backend_.style = Style::kPath;
  }
  // "host region style", or "none".
  std::string follow(std::string_view location, std::uint16_t status = 307,
                     std::string_view region = "") {
    std::vector<http::Field> fields;
    if (!location.empty()) fields.push_back({"location", location});
    if (!region.empty()) fields.push_back({"x-amz-bucket-region", region});
    http::ResponseHead head;
    head.status = status;
    head.fields = fields;
    const auto elsewhere = redirect_of(head, backend_, "logs");
    if (!elsewhere) return "none";
    EXPECT_EQ(elsewhere->pool_key == backend_.pool_key, elsewhere->host == backend_.host);
    EXPECT_EQ(elsewhere->port, backend_.port);
    return elsewhere->host + " " + elsewhere->region +
           (elsewhere->style == Style::kVirtual ? " virtual" : " path");
  }
  Backend backend_;
};

TEST_F(RedirectTest, GoesToTheEndpointItselfInAnotherStyleOrRegion) {
  EXPECT_EQ(follow("https://logs.s3.store.test/key"), "s3.store.test us-east-1 virtual");
  EXPECT_EQ(follow("HTTPS://LOGS.S3.store.test:443"), "s3.store.test us-east-1 virtual");
  EXPECT_EQ(follow("https://s3.store.test/logs/key", 301, "eu-de"), "s3.store.test eu-de path");
  EXPECT_EQ(follow("", 301, "eu-de"), "s3.store.test eu-de path");
  // What is no region is not signed for.
  EXPECT_EQ(follow("https://logs.s3.store.test/key", 307, "eu/s3"),
            "s3.store.test us-east-1 virtual");
  EXPECT_EQ(follow("", 301, "eu/s3"), "none");
  // Nothing would be another one.
  EXPECT_EQ(follow("https://s3.store.test/logs/key"), "none");
  EXPECT_EQ(follow("", 301), "none");
}

TEST_F(RedirectTest, NeverToAnotherHostPortOrScheme) {
  for (const std::string_view location : {"https://evil.test/logs/key",
                                          "https://s3.store.test.evil.test/",
                                          "https://store.test/",
                                          "https://other.store.test/",
                                          "https://xs3.store.test/",
                                          "https://other.s3.store.test/",
                                          "https://logs.s3.store.test@evil.test/",
                                          "https://evil.test#logs.s3.store.test",
                                          "https://evil.test?.s3.store.test",
                                          "https://evil.test\\.s3.store.test/",
                                          "https://logs.s3.store.test:8443/",
                                          "http://logs.s3.store.test/",
                                          "https://logs.s3.store.test:443x/",
                                          "https://logs.s3.store.test:/",
                                          "//logs.s3.store.test/",
                                          "/logs/other",
                                          "logs.s3.store.test",
                                          "https://",
                                          "https://logs./",
                                          "https://logs.",
                                          "https://logs..s3.store.test/",
                                          "https://127.0.0.1/",
                                          "https://[::1]/",
                                          "https://169.254.169.254/latest",
                                          "ftp://logs.s3.store.test/",
                                          "https://-.s3.store.test"}) {
    EXPECT_EQ(follow(location), "none") << location;
    EXPECT_EQ(follow(location, 301, "eu-de"), "none") << location;
  }
  constexpr std::array<std::uint16_t, 7> kOthers{200, 300, 302, 303, 304, 308, 403};
  for (const std::uint16_t status : kOthers) {
    EXPECT_EQ(follow("https://logs.s3.store.test/key", status), "none") << status;
  }
}

TEST_F(RedirectTest, ToTheDomainThatTheOperatorNamed) {
  backend_.redirects = "store.test";
  EXPECT_EQ(follow("https://logs.s3.eu.store.test/k"), "s3.eu.store.test us-east-1 virtual");
  EXPECT_EQ(follow("https://store.test/logs/k"), "store.test us-east-1 path");
  EXPECT_EQ(follow("https://xstore.test/logs/k"), "none");
  EXPECT_EQ(follow("https://store.test.evil.test/logs/k"), "none");
}

TEST_F(RedirectTest, ToAnotherEndpointOfAmazon) {
  backend_.host = "s3.amazonaws.com";
  EXPECT_EQ(follow("https://logs.s3-us-west-2.amazonaws.com/k"),
            "s3-us-west-2.amazonaws.com us-west-2 virtual");
  EXPECT_EQ(follow("https://s3.dualstack.eu-west-1.amazonaws.com/logs/k"),
            "s3.dualstack.eu-west-1.amazonaws.com eu-west-1 path");
  EXPECT_EQ(follow("https://logs.s3-external-1.amazonaws.com/k"),
            "s3-external-1.amazonaws.com us-east-1 virtual");
  EXPECT_EQ(follow("", 301, "eu-west-1"), "s3.eu-west-1.amazonaws.com eu-west-1 path");
  EXPECT_EQ(follow("", 307, "eu-west-1"), "s3.amazonaws.com eu-west-1 path");
  EXPECT_EQ(follow("", 301, "x.evil.test/"), "none");
  EXPECT_EQ(follow("", 301, "evil.test"), "none");
  // Hosts of others, who choose their names.
  for (const std::string_view host :
       {"s3-x.us-east-1.elb.amazonaws.com", "ec2-1-2-3-4.compute-1.amazonaws.com",
        "s3.x.elb.amazonaws.com", "sqs.us-east-1.amazonaws.com", "s3.amazonaws.com.cn",
        "evil.s3-us-west-2.amazonaws.com", "s3-us-west-2.amazonaws.com.evil.test"}) {
    EXPECT_EQ(follow("https://" + std::string{host} + "/k"), "none") << host;
  }
  backend_.host = "s3.eu-west-1.amazonaws.com";
  EXPECT_EQ(follow("", 301, "us-west-2"), "s3.us-west-2.amazonaws.com us-west-2 path");
  backend_.host = "ec2-1-2-3-4.compute-1.amazonaws.com";
  EXPECT_EQ(follow("https://logs.s3-us-west-2.amazonaws.com/k"), "none");
}

}  // namespace
}  // namespace tercel::gateway
