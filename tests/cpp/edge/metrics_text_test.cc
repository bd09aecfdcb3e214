#include "tercel/edge/metrics_text.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;

TEST(MetricsTextTest, OpenMetricsNamesTheFamilyOfACounterWithoutTotal) {
  MetricsText text{MetricsFormat::kOpenMetrics};
  text.family("a_requests", MetricType::kCounter, "Requests.");
  text.number({{"method", "GET"}, {"status", "2xx"}}, 5);
  text.number({}, 6);
  text.family("a_body_bytes", MetricType::kGauge, "Bytes.", "bytes");
  text.number({}, UINT64_MAX);
  EXPECT_EQ(text.finish(),
            "# TYPE a_requests counter\n"
            "# HELP a_requests Requests.\n"
            "a_requests_total{method=\"GET\",status=\"2xx\"} 5\n"
            "a_requests_total 6\n"
            "# TYPE a_body_bytes gauge\n"
            "# UNIT a_body_bytes bytes\n"
            "# HELP a_body_bytes Bytes.\n"
            "a_body_bytes 18446744073709551615\n"
            "# EOF\n");
}

TEST(MetricsTextTest, PrometheusNamesItWithTotal) {
  MetricsText text{MetricsFormat::kPrometheus};
  text.family("a_body_bytes", MetricType::kCounter, "Bytes.", "bytes");
  text.number({}, 5);
  EXPECT_EQ(text.finish(),
            "# TYPE a_body_bytes_total counter\n"
            "# HELP a_body_bytes_total Bytes.\n"
            "a_body_bytes_total 5\n");
}

TEST(MetricsTextTest, AHistogramIsCumulative) {
  Histogram histogram;
  for (const auto time : {std::chrono::nanoseconds{1us}, std::chrono::nanoseconds{2ms},
                          std::chrono::nanoseconds{20s}}) {
    histogram.add(time);
  }
  Histogram::Numbers numbers;
  histogram.add_to(numbers);
  MetricsText text{MetricsFormat::kOpenMetrics};
  text.family("t_seconds", MetricType::kHistogram, "Times.", "seconds");
  text.histogram({{"a", "b"}}, numbers);
  const std::string& all = text.finish();
  EXPECT_NE(all.find("t_seconds_bucket{a=\"b\",le=\"0.001\"} 1\n"
                     "t_seconds_bucket{a=\"b\",le=\"0.0025\"} 2\n"),
            std::string::npos);
  EXPECT_NE(all.find("t_seconds_bucket{a=\"b\",le=\"10.0\"} 2\n"
                     "t_seconds_bucket{a=\"b\",le=\"+Inf\"} 3\n"
                     "t_seconds_count{a=\"b\"} 3\n"
                     "t_seconds_sum{a=\"b\"} 20.002001\n"),
            std::string::npos)
      << all;
}

TEST(MetricsTextTest, SumsHaveSixDecimals) {
  for (const auto& [microseconds, text] : {std::pair{0U, "0.000000"},
                                           {1U, "0.000001"},
                                           {100'000U, "0.100000"},
                                           {999'999U, "0.999999"},
                                           {1'000'000U, "1.000000"},
                                           {12'034'500U, "12.034500"}}) {
    Histogram::Numbers numbers;
    numbers.microseconds = microseconds;
    MetricsText one{MetricsFormat::kPrometheus};
    one.family("t", MetricType::kHistogram, "Times.");
    one.histogram({}, numbers);
    EXPECT_TRUE(one.finish().ends_with(std::string{"t_sum "} + text + "\n")) << one.finish();
  }
}

TEST(MetricsTextTest, ValuesOfLabelsAreEscaped) {
  MetricsText text{MetricsFormat::kPrometheus};
  text.family("a", MetricType::kGauge, "A.");
  text.number({{"b", "x\"y\\z\n"}}, 1);
  EXPECT_TRUE(text.finish().ends_with("a{b=\"x\\\"y\\\\z\\n\"} 1\n")) << text.finish();
}

}  // namespace
}  // namespace tercel::edge
