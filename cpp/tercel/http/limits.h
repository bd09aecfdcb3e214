// What one request may cost. Every limit has a unit, a default and an answer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tercel::http {

inline constexpr std::size_t kKibibyte = 1024;
inline constexpr std::size_t kMebibyte = 1024 * kKibibyte;

struct Limits {
  std::size_t target_bytes_max = 16 * kKibibyte;     // 414
  std::size_t head_bytes_max = 64 * kKibibyte;       // 431; request line and fields together
  std::size_t fields_max = 128;                      // 431
  std::uint64_t body_bytes_max = 64 * kMebibyte;     // 413; 0: no limit
  std::size_t trailer_bytes_max = 8 * kKibibyte;     // 431
  std::size_t chunk_line_bytes_max = 4 * kKibibyte;  // 400; size and extensions of one chunk
  std::size_t output_high_water_bytes =
      64 * kKibibyte;                            // not writable() above, writable again below half
  std::size_t drain_bytes_max = 64 * kKibibyte;  // unread body skipped to keep a connection
  std::uint32_t requests_max = 0;                // per connection, then close; 0: no limit
};

// Size of the arrays that parsers fill: no setting exceeds it.
inline constexpr std::size_t kFieldsMax = 256;

}  // namespace tercel::http
