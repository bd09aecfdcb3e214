#include "tercel/edge/metrics_text.h"

#include <array>
#include <charconv>
#include <cstddef>

namespace tercel::edge {
namespace {

constexpr std::size_t kNumberBytesMax = 20;

// The bounds in seconds, as both formats write them.
constexpr std::array<std::string_view, Histogram::kBuckets> kBounds{
    "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
    "0.25",  "0.5",    "1.0",   "2.5",  "5.0",   "10.0", "+Inf"};

std::string_view type_name(MetricType type) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"counter", "gauge", "histogram"};
  return kNames[static_cast<std::size_t>(type)];
}

void append_number(std::string& text, std::uint64_t number) {
  std::array<char, kNumberBytesMax> digits;
  text.append(digits.data(),
              std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

void append_escaped(std::string& text, std::string_view value) {
  for (const char c : value) {
    if (c == '\n') {
      text.append("\\n");
      continue;
    }
    if (c == '"' || c == '\\') text.push_back('\\');
    text.push_back(c);
  }
}

}  // namespace

void MetricsText::family(std::string_view name, MetricType type, std::string_view help,
                         std::string_view unit) {
  type_ = type;
  family_ = name;
  if (type == MetricType::kCounter && format_ == MetricsFormat::kPrometheus) family_ += "_total";
  line("TYPE", type_name(type));
  if (!unit.empty() && format_ == MetricsFormat::kOpenMetrics) line("UNIT", unit);
  line("HELP", help);
  if (family_.size() != name.size()) family_.resize(name.size());
}

void MetricsText::line(std::string_view word, std::string_view text) {
  text_.append("# ").append(word).append(" ").append(family_).append(" ").append(text);
  text_.push_back('\n');
}

void MetricsText::name(std::string_view suffix, Labels labels, std::string_view bound) {
  text_.append(family_).append(suffix);
  char before = '{';
  for (const auto& [label, value] : labels) {
    text_.push_back(std::exchange(before, ','));
    text_.append(label).append("=\"");
    append_escaped(text_, value);
    text_.push_back('"');
  }
  if (!bound.empty()) {
    text_.push_back(std::exchange(before, ','));
    text_.append("le=\"").append(bound).append("\"");
  }
  if (before == ',') text_.push_back('}');
  text_.push_back(' ');
}

void MetricsText::value(std::uint64_t value) {
  append_number(text_, value);
  text_.push_back('\n');
}

void MetricsText::number(Labels labels, std::uint64_t number) {
  name(type_ == MetricType::kCounter ? "_total" : "", labels, {});
  value(number);
}

void MetricsText::histogram(Labels labels, const Histogram::Numbers& numbers) {
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    so_far += numbers.counts[i];
    name("_bucket", labels, kBounds[i]);
    value(so_far);
  }
  name("_count", labels, {});
  value(so_far);
  name("_sum", labels, {});
  constexpr std::uint64_t kSecond = 1'000'000;
  append_number(text_, numbers.microseconds / kSecond);
  text_.push_back('.');
  const std::uint64_t rest = numbers.microseconds % kSecond;
  for (std::uint64_t digit = kSecond / 10; digit > 1 && rest < digit; digit /= 10) {
    text_.push_back('0');
  }
  value(rest);
}

const std::string& MetricsText::finish() {
  if (format_ == MetricsFormat::kOpenMetrics) text_.append("# EOF\n");
  return text_;
}

std::string_view MetricsText::content_type(MetricsFormat format) noexcept {
  return format == MetricsFormat::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace tercel::edge
