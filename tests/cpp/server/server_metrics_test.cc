#include "tercel/server/server_metrics.h"

#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace tercel::server {
namespace {

using namespace std::chrono_literals;

std::string text_of(const Statistics& statistics) {
  edge::MetricsText text{edge::MetricsFormat::kPrometheus};
  ServerMetrics{statistics}.write(text);
  return text.finish();
}

TEST(ServerMetricsTest, ShowsTheSumOfAllProcesses) {
  auto statistics = *Statistics::create();
  constexpr std::uint8_t kPut = http::index_of_method("PUT");
  for (std::size_t process = 0; process < 3; ++process) {
    http::Counters& counters = *statistics->slot(process, 0);
    counters.count({.status = 201, .request_bytes = 10, .body_bytes = 7}, kPut);
    counters.durations.add(2ms);
    counters.connections.store(2);
  }
  statistics->retire(1);
  const std::string text = text_of(*statistics);
  for (const char* line :
       {"tercel_http_requests_total{method=\"PUT\",status=\"2xx\"} 3\n",
        "tercel_http_request_duration_seconds_count 3\n",
        "tercel_http_request_duration_seconds_sum 0.006000\n",
        "tercel_http_request_body_bytes_total 30\n", "tercel_http_response_body_bytes_total 21\n",
        "tercel_http_connections 4\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  EXPECT_EQ(text.find("GET"), std::string::npos);
}

TEST(ServerMetricsTest, MethodsThatAreNotKnownAreOne) {
  EXPECT_EQ(http::kMethods[http::index_of_method("GET")], "GET");
  EXPECT_EQ(http::kMethods[http::index_of_method("OPTIONS")], "OPTIONS");
  for (const char* method : {"", "get", "GETS", "PROPFIND", "other"}) {
    EXPECT_EQ(http::index_of_method(method), http::kOtherMethod) << method;
  }
}

}  // namespace
}  // namespace tercel::server
