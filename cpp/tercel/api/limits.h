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
// Parts of a form, or pairs of one that is urlencoded. 413, 400.
inline constexpr std::size_t kFormPartsMax = 1000;
// Files of a form, the empty ones and those that nobody asks for among them. 413.
inline constexpr std::size_t kFormFilesMax = 100;
// All texts of a form together, and so one; of one that is urlencoded as it is sent. 413.
inline constexpr std::size_t kFormTextBytesMax = std::size_t{1} << 20;
// The head of one part, and the heads of all. 413.
inline constexpr std::size_t kPartHeadBytesMax = std::size_t{8} * 1024;
inline constexpr std::size_t kPartHeadsBytesMax = std::size_t{256} * 1024;
// Of a form besides texts and files: heads, boundaries, and parts that nobody asks for.
inline constexpr std::uint64_t kFormRestBytesMax = std::uint64_t{512} * 1024;
// Of a file, or of all files of a list, unless the parameter says another. 413.
inline constexpr std::uint64_t kFileBytesMaxDefault = std::uint64_t{64} << 20;
// Of a file that is kept in memory, and of all such files of a form. Others go to a spool.
inline constexpr std::size_t kFileMemoryBytesMax = std::size_t{64} * 1024;
inline constexpr std::size_t kFormMemoryBytesMax = std::size_t{256} * 1024;
// Of a path, which is decoded into memory of this size. 414.
inline constexpr std::size_t kPathBytesMax = std::size_t{16} * 1024;

}  // namespace tercel::api
