// Writes metrics as text, for Prometheus and whoever reads its formats.
//
//   MetricsText text{MetricsFormat::kOpenMetrics};
//   text.family("tercel_http_requests", MetricType::kCounter, "Requests that are over.");
//   text.number({{"method", "GET"}}, 5);
//   send(text.finish());
//
// A counter's samples are NAME_total in both formats; only OpenMetrics names its family without it.
// A value: it grows in memory, and throws std::bad_alloc, which MetricsHandler catches.
// Source: OpenMetrics 1.0; Prometheus, "Exposition formats", 0.0.4. Tested by metrics_text_test.cc,
// and with the parsers of prometheus_client by tests/python/test_metrics.py.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "tercel/base/histogram.h"

namespace tercel::edge {

enum class MetricsFormat : std::uint8_t { kOpenMetrics, kPrometheus };
enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram };

class MetricsText {
 public:
  // Names are literals; a value may be any text.
  using Label = std::pair<std::string_view, std::string_view>;
  using Labels = std::initializer_list<Label>;

  explicit MetricsText(MetricsFormat format) noexcept : format_{format} {}

  // Begins the family of that name, which has no "_total". A unit is the last word of the name:
  // "seconds", "bytes" or none.
  void family(std::string_view name, MetricType type, std::string_view help,
              std::string_view unit = {});
  // A sample of it: a counter's or a gauge's, or a whole histogram.
  void number(Labels labels, std::uint64_t value);
  void histogram(Labels labels, const Histogram::Numbers& numbers);

  // All of it. Nothing follows.
  [[nodiscard]] const std::string& finish();
  [[nodiscard]] static std::string_view content_type(MetricsFormat format) noexcept;

 private:
  void line(std::string_view word, std::string_view text);
  void name(std::string_view suffix, Labels labels, std::string_view bound);
  void value(std::uint64_t value);

  const MetricsFormat format_;
  MetricType type_ = MetricType::kGauge;
  std::string family_;
  std::string text_;
};

// Whoever has metrics. Resource. Thread: that of the handler that shows them.
class MetricsSource {
 public:
  // Adds its families. May throw std::bad_alloc.
  virtual void write(MetricsText& text) const = 0;

 protected:
  ~MetricsSource() = default;
};

}  // namespace tercel::edge
