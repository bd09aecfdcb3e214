#include "tercel/edge/log_time.h"

#include <time.h>

#include <cstdlib>
#include <cstring>

namespace tercel::edge {
namespace {

// Writes `number` in `digits` decimal digits, and moves `at` behind them.
void put_digits(char*& at, long number, int digits) noexcept {
  for (char* digit = at + digits; digit != at; number /= 10) {
    *--digit = static_cast<char>('0' + number % 10);
  }
  at += digits;
}

void put(char*& at, std::string_view text) noexcept {
  std::memcpy(at, text.data(), text.size());
  at += text.size();
}

void put_date(char*& at, const tm& local) noexcept {
  put_digits(at, local.tm_year + 1900L, 4);
  put(at, "-");
  put_digits(at, local.tm_mon + 1, 2);
  put(at, "-");
  put_digits(at, local.tm_mday, 2);
}

void put_clock(char*& at, const tm& local) noexcept {
  put_digits(at, local.tm_hour, 2);
  put(at, ":");
  put_digits(at, local.tm_min, 2);
  put(at, ":");
  put_digits(at, local.tm_sec, 2);
}

// "+0200" or "+02:00".
void put_offset(char*& at, const tm& local, std::string_view between) noexcept {
  const long minutes = std::labs(local.tm_gmtoff) / 60;
  put(at, local.tm_gmtoff < 0 ? "-" : "+");
  put_digits(at, minutes / 60, 2);
  put(at, between);
  put_digits(at, minutes % 60, 2);
}

}  // namespace

std::chrono::nanoseconds WallClock::now() const noexcept {
  timespec time{};
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

void LogTime::update(std::chrono::seconds now) noexcept {
  if (now == now_) return;
  now_ = now;
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const time_t time = now.count();
  tm local{};
  localtime_r(&time, &local);
  const auto month = kMonths.substr(static_cast<std::size_t>(local.tm_mon) * 3, 3);

  char* at = common_.data();
  put(at, "[");
  put_digits(at, local.tm_mday, 2);
  put(at, "/");
  put(at, month);
  put(at, "/");
  put_digits(at, local.tm_year + 1900L, 4);
  put(at, ":");
  put_clock(at, local);
  put(at, " ");
  put_offset(at, local, "");
  put(at, "]");

  at = iso_.data();
  put_date(at, local);
  put(at, "T");
  put_clock(at, local);
  put_offset(at, local, ":");
}

std::string_view UtcTime::text(std::chrono::nanoseconds now) noexcept {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != second_) {
    second_ = second;
    const time_t time = second.count();
    tm utc{};
    gmtime_r(&time, &utc);
    char* at = text_.data();
    put_date(at, utc);
    put(at, "T");
    put_clock(at, utc);
    put(at, ".000Z");
  }
  constexpr std::size_t kMilliseconds = 20;
  char* at = text_.data() + kMilliseconds;
  put_digits(at, std::chrono::duration_cast<std::chrono::milliseconds>(now - second).count(), 3);
  return {text_.data(), text_.size()};
}

}  // namespace tercel::edge
