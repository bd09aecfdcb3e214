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

TEST(CheckTest, MetricsHaveAnAddressOfTheirOwn) {
  Settings settings;
  settings.metrics_bind = "127.0.0.1:8000";
  EXPECT_EQ(check(settings), Problem{"metrics-bind is where the application listens, "
                                     "\"127.0.0.1:8000\": give it another port."});
  settings.metrics_bind = "127.0.0.1:9464";
  EXPECT_EQ(check(settings), std::nullopt);
  settings.bind = {"127.0.0.1:0"};
  settings.metrics_bind = "127.0.0.1:0";
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

TEST(CheckTest, EveryCertificateHasAKeyOrNoneHas) {
  Settings settings;
  settings.ssl_certfile = {"a.pem", "b.pem"};
  EXPECT_EQ(check(settings), std::nullopt);
  settings.ssl_keyfile = {"a.key", "b.key"};
  EXPECT_EQ(check(settings), std::nullopt);
  settings.ssl_keyfile = {"a.key"};
  EXPECT_EQ(check(settings), Problem{"ssl-keyfile names 1 keys for the 2 certificates of "
                                     "ssl-certfile: name one for each, or none at all."});
}

TEST(CheckTest, SettingsOfTlsNeedACertificate) {
  Settings settings;
  settings.ssl_keyfile = {"a.key"};
  EXPECT_EQ(check(settings),
            Problem{"ssl-keyfile has no effect without a certificate: set ssl-certfile."});
  settings.ssl_keyfile.clear();
  settings.ssl_keyfile_password = "secret";
  EXPECT_EQ(check(settings),
            Problem{"ssl-keyfile-password has no effect without a certificate: set "
                    "ssl-certfile."});
}

TEST(CheckTest, SettingsOfCorsNeedAnOrigin) {
  Settings settings;
  settings.cors_credentials = true;
  EXPECT_EQ(check(settings),
            Problem{"cors-credentials has no effect without an origin: set cors-origin."});
  settings.cors_origin = {"https://a.example"};
  EXPECT_EQ(check(settings), std::nullopt);
}

TEST(CheckTest, CertificatesOfClientsNeedSomebodyWhoSignsThem) {
  Settings settings;
  settings.ssl_certfile = {"a.pem"};
  settings.ssl_cert_reqs = CertReqs::kOptional;
  EXPECT_EQ(check(settings), Problem{"ssl-cert-reqs optional needs ssl-ca-certs: the certificates "
                                     "of those who sign for clients."});
  settings.ssl_ca_certs = "ca.pem";
  EXPECT_EQ(check(settings), std::nullopt);
  settings.ssl_cert_reqs = CertReqs::kNone;
  EXPECT_EQ(check(settings), Problem{"ssl-ca-certs and ssl-crlfile have no effect while "
                                     "ssl-cert-reqs is none: set it to optional or required."});
}

}  // namespace
}  // namespace tercel::config
