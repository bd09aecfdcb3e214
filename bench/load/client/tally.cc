#include "tally.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cinttypes>

namespace tercel::load {
namespace {

constexpr std::array<std::string_view, 3> kLosses{"unanswered", "cut", "timed out"};

}  // namespace

void Latencies::add(std::chrono::nanoseconds latency) noexcept {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  // Below kPerOctave each value has a bucket of its own; above, each power of two has kPerOctave.
  const unsigned width = static_cast<unsigned>(std::bit_width(ns | (kPerOctave - 1)));
  const unsigned octave = width - kBits;
  const std::size_t within = (ns >> (octave == 0 ? 0 : octave - 1)) & (kPerOctave - 1);
  ++counts_[octave * kPerOctave + within];
  ++total_;
  max_ = std::max(max_, ns);
}

double Latencies::percentile_us(double percent) const noexcept {
  const auto wanted = static_cast<std::uint64_t>(static_cast<double>(total_) * percent / 100);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (counts_[i] == 0 || seen < std::max<std::uint64_t>(wanted, 1)) continue;
    const std::size_t octave = i / kPerOctave;
    const std::size_t within = i % kPerOctave;
    if (octave == 0) return static_cast<double>(within) / 1e3;
    const double width = static_cast<double>(std::uint64_t{1} << (octave - 1));
    return (static_cast<double>(kPerOctave + within) + 0.5) * width / 1e3;
  }
  return 0;
}

void Tally::note(std::string_view what, std::string_view why, std::uint64_t number) {
  if (faults_.size() == kFaultsMax) return;
  faults_.push_back({what, why, number, std::chrono::steady_clock::now().time_since_epoch()});
}

void Tally::wrong(std::uint64_t number, std::string_view why) {
  ++wrong_;
  note("wrong", why, number);
}

void Tally::lost(std::uint64_t number, Loss how) {
  ++lost_;
  ++lost_by_[static_cast<std::size_t>(how)];
  note("lost", kLosses[static_cast<std::size_t>(how)], number);
}

void Tally::doubled(std::uint64_t number) {
  ++doubled_;
  note("doubled", "answered before, or not asked for", number);
}

void Tally::refused(int error) noexcept {
  ++(error == ECONNREFUSED ? refused_ : unreachable_);
}

void Tally::print(std::FILE* out) const {
  const auto count = [out](const char* name, std::uint64_t value) {
    std::fprintf(out, "\"%s\": %" PRIu64 ", ", name, value);
  };
  const auto real = [out](const char* name, double value) {
    std::fprintf(out, "\"%s\": %.6f, ", name, value);
  };
  std::fputc('{', out);
  count("sent", sent);
  count("right", right_);
  count("wrong", wrong_);
  count("lost", lost_);
  count("lost_unanswered", lost_by_[0]);
  count("lost_cut", lost_by_[1]);
  count("lost_timed_out", lost_by_[2]);
  count("doubled", doubled_);
  count("messages", messages);
  count("connections", connections);
  count("reconnects", reconnects);
  count("refused", refused_);
  count("unreachable", unreachable_);
  count("closed_idle", closed_idle);
  count("late", late);
  real("seconds", static_cast<double>((stopped_ - started_).count()) / 1e9);
  real("p50_us", latencies.percentile_us(50));
  real("p99_us", latencies.percentile_us(99));
  real("p999_us", latencies.percentile_us(99.9));
  real("max_us", latencies.max_us());
  std::fputs("\"faults\": [", out);
  for (const Fault& fault : faults_) {
    std::fprintf(
        out, "%s{\"what\": \"%.*s\", \"why\": \"%.*s\", \"number\": %" PRIu64 ", \"at_s\": %.6f}",
        &fault == faults_.data() ? "" : ", ", static_cast<int>(fault.what.size()),
        fault.what.data(), static_cast<int>(fault.why.size()), fault.why.data(), fault.number,
        static_cast<double>((fault.at - started_).count()) / 1e9);
  }
  std::fputs("]}\n", out);
  std::fflush(out);
}

}  // namespace tercel::load
