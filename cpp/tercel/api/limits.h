// The limits of the API layer that no route can change.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tercel::api {

// Failures that one answer lists; what else is wrong with the request is not looked for.
inline constexpr std::size_t kFailuresMax = 100;
// Bytes of all failures together, about; no more are listed above it.
inline constexpr std::size_t kFailuresBytesMax = std::size_t{64} * 1024;
// Bytes of a value that a failure repeats; a longer one is left out.
inline constexpr std::size_t kInputBytesMax = 256;
// Bytes of a key in the `loc` of a failure; a longer one is cut.
inline constexpr std::size_t kKeyBytesMax = 256;
// Digits of an integer, in a parameter and in a body: what Python's int() takes.
inline constexpr std::size_t kIntegerDigitsMax = 4300;
// Parameters of one route.
inline constexpr std::size_t kParametersMax = 256;
// Of a body that a route collects before it is called, unless the route says another.
inline constexpr std::uint64_t kBodyBytesMaxDefault = std::uint64_t{1} << 20;
// Of a path, which is decoded into memory of this size. 414.
inline constexpr std::size_t kPathBytesMax = std::size_t{16} * 1024;

}  // namespace tercel::api
