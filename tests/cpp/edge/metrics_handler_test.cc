#include "tercel/edge/metrics_handler.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "edge/file_fixture.h"

namespace tercel::edge {
namespace {

class One final : public MetricsSource {
 public:
  void write(MetricsText& text) const override {
    text.family("one", MetricType::kCounter, "One.");
    text.number({}, value);
  }
  std::uint64_t value = 1;
};

class MetricsHandlerTest : public testing::Test {
 protected:
  MetricsHandlerTest() { handler_.add(source_); }
  std::string type_for(std::string_view accept) {
    const std::string fields = accept.empty() ? "" : "accept: " + std::string{accept} + "\r\n";
    const std::string got = server_.get("/metrics", fields);
    const std::size_t begin = got.find("content-type: ") + 14;
    return got.substr(begin, got.find(';', begin) - begin);
  }

  One source_;
  MetricsHandler handler_;
  test::FileServer server_{handler_};
};

constexpr std::string_view kOpenMetrics = "application/openmetrics-text";
constexpr std::string_view kPrometheus = "text/plain";

TEST_F(MetricsHandlerTest, EachRequestIsAddedUpAnew) {
  EXPECT_TRUE(server_.get("/metrics")
                  .ends_with("\r\n\r\n# TYPE one counter\n# HELP one One.\n"
                             "one_total 1\n# EOF\n"));
  source_.value = 2;
  EXPECT_TRUE(server_.get("/metrics?a").ends_with("one_total 2\n# EOF\n"));
}

TEST_F(MetricsHandlerTest, TheClientChoosesTheFormat) {
  EXPECT_EQ(type_for(""), kOpenMetrics);
  EXPECT_EQ(type_for("*/*"), kOpenMetrics);
  EXPECT_EQ(type_for("text/plain"), kPrometheus);
  EXPECT_EQ(type_for("text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), kPrometheus);
  EXPECT_EQ(type_for("application/json"), kOpenMetrics);  // Better than nothing.
  EXPECT_EQ(type_for("application/openmetrics-text;version=0.0.1,text/plain;q=0.5"), kOpenMetrics);
  // What Prometheus 2 and 3 send.
  EXPECT_EQ(type_for("application/openmetrics-text;version=1.0.0;q=0.75,"
                     "application/openmetrics-text;version=0.0.1;q=0.5,"
                     "text/plain;version=0.0.4;q=0.25,*/*;q=0.1"),
            kOpenMetrics);
  EXPECT_EQ(type_for("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                     "application/openmetrics-text;version=0.0.1;q=0.5,"
                     "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                     "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"),
            kOpenMetrics);
}

TEST_F(MetricsHandlerTest, NothingElseIsHere) {
  EXPECT_EQ(test::status_of(server_.get("/")), "404");
  EXPECT_EQ(test::status_of(server_.get("/metrics/")), "404");
  const std::string got = server_.ask("DELETE", "/metrics");
  EXPECT_EQ(test::status_of(got), "405");
  EXPECT_NE(got.find("allow: GET, HEAD\r\n"), std::string::npos);
}

TEST_F(MetricsHandlerTest, HeadHasNoBody) {
  const std::string got = server_.ask("HEAD", "/metrics");
  EXPECT_EQ(test::status_of(got), "200");
  EXPECT_TRUE(got.ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace tercel::edge
