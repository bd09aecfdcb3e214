// What a session keeps of a request until it is over, for who records and counts it.
//
// A value, made by SessionContext.
#pragma once

#include <chrono>
#include <cstdint>

#include "tercel/http/counters.h"
#include "tercel/http/recorder.h"

namespace tercel::http {

struct OpenRecord {
  Recorder::Token token = nullptr;
  std::chrono::nanoseconds began{0};  // Of SessionContext::stopwatch.
  std::uint8_t method = kOtherMethod;
};

}  // namespace tercel::http
