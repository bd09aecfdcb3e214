// Says what may be true many times a second, and on every thread, once a minute.
//
//   log_seldom(LogLevel::kWarning, "The backend https://s3.example failed a request: ...");
//
// The same text is said again a minute after it was said; whoever comes in between is not counted.
// Of more texts than kSeldomTexts a minute the others are not said: a peer that is part of them
// fills no log. No lock. Cost: a look at all places. Thread: any. Tested by log_seldom_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "tercel/base/log.h"

namespace tercel {

inline constexpr std::chrono::seconds kSeldom{60};
inline constexpr std::size_t kSeldomTexts = 64;

// As log(), whose requirements it has.
void log_seldom(LogLevel level, std::string_view text) noexcept;
// At a time of a steady clock, for tests.
void log_seldom(LogLevel level, std::string_view text, std::chrono::seconds now) noexcept;

}  // namespace tercel
