#include "tercel/gateway/meters.h"

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tercel/gateway/metrics.h"

namespace tercel::gateway {
namespace {

using namespace std::chrono_literals;

// What processes share.
struct Room {
  alignas(128) std::array<char, 8192> bytes{};
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string text_of(const MetersSum& sum) {
  edge::MetricsText text{edge::MetricsFormat::kOpenMetrics};
  sum.write(text);
  return text.finish();
}

TEST(MetersTest, AProcessGoesOnWhereAnotherOneLeft) {
  const auto room = std::make_unique<Room>();
  AllMeters first;
  first.open(room->bytes.data()).counts.add(Counts::requests, 5);
  EXPECT_EQ(first.sum(Counts::requests), 5U);
  AllMeters second;
  Meters& meters = second.open(room->bytes.data());
  EXPECT_EQ(second.sum(Counts::requests), 0U);
  meters.counts.add(Counts::requests);
  EXPECT_EQ(second.sum(Counts::requests), 1U);
  MetersSum sum;
  sum.add(meters);
  EXPECT_TRUE(has(text_of(sum), "tercel_s3_events_total{event=\"requests\"} 6\n"));
}

TEST(MetersTest, SetsOfItsOwnAreAddedUp) {
  AllMeters all;
  all.open().counts.add(Counts::denied, 2);
  all.open().counts.add(Counts::denied, 3);
  EXPECT_EQ(all.sum(Counts::denied), 5U);
  MetersSum sum;
  all.for_each([&sum](const Meters& meters) { sum.add(meters); });
  EXPECT_TRUE(has(text_of(sum), "tercel_s3_events_total{event=\"denied\"} 5\n"));
}

TEST(MetersTest, OperationsAreToldApartByStatus) {
  Meters meters;
  meters.count(s3::Operation::kGetObject, 206);
  meters.count(s3::Operation::kGetObject, 200);
  meters.count(s3::Operation::kGetObject, 0);
  meters.count(s3::Operation::kUnknown, 999);
  meters.connections.store(5);
  meters.idle_connections.store(2);
  meters.upstream.add(3ms);
  MetersSum sum;
  sum.add(meters);
  const std::string text = text_of(sum);
  EXPECT_TRUE(has(text, "tercel_s3_operations_total{operation=\"GetObject\",status=\"2xx\"} 2\n"));
  EXPECT_TRUE(has(text, "tercel_s3_operations_total{operation=\"GetObject\",status=\"none\"} 1\n"));
  EXPECT_TRUE(has(text, "tercel_s3_operations_total{operation=\"Unknown\",status=\"none\"} 1\n"));
  EXPECT_FALSE(has(text, "PutObject"));
  EXPECT_TRUE(has(text, "tercel_s3_upstream_connections{state=\"idle\"} 2\n"));
  EXPECT_TRUE(has(text, "tercel_s3_upstream_connections{state=\"used\"} 3\n"));
  EXPECT_TRUE(has(text, "tercel_s3_upstream_duration_seconds_count 1\n"));
}

}  // namespace
}  // namespace tercel::gateway
