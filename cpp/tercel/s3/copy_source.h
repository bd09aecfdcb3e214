// The object that is copied: x-amz-copy-source, read and written.
//
//   CopySource source;
//   if (auto error = read_copy_source(field->value, memory, source)) return
//   answer(Refusal{*error});
//   ...                                                  // May the client read source.bucket?
//   const auto value = write_copy_source(source, backend_bucket, prefix, out);
//
// "bucket/key" or "/bucket/key", percent-encoded as a whole or in parts, and perhaps
// "?versionId=ID" behind it. A '?' of a key is always encoded; another query is refused, so that
// nobody reads another source than was judged. '+' is a space, as S3 reads it. Written anew, every
// byte but those that mean themselves everywhere is encoded. ARNs of access points are refused:
// NotImplemented.
// Values; nothing is allocated. Source: the API reference of Amazon S3, "CopyObject". Tested by
// copy_source_test.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/s3/error.h"
#include "tercel/s3/resource.h"

namespace tercel::s3 {

inline constexpr std::size_t kVersionIdBytesMax = 1024;
// The longest source, read or written: three bytes for one.
inline constexpr std::size_t kCopySourceBytesMax =
    3 * (kBucketBytesMax + kKeyBytesMax + kVersionIdBytesMax) + 16;

// Decoded.
struct CopySource {
  std::string_view bucket;
  std::string_view key;
  std::string_view version_id;  // Empty: the current version.
};

// Nothing: `source` is set, valid as long as `memory` is. InvalidArgument, InvalidBucketName,
// KeyTooLongError, NotImplemented. REQUIRES: memory.size() >= kCopySourceBytesMax.
[[nodiscard]] std::optional<ErrorCode> read_copy_source(std::string_view value,
                                                        std::span<char> memory,
                                                        CopySource& source) noexcept;

// The source as a backend knows it: in its bucket, and with its prefix before the key. Nothing:
// `out` is too small, which it is not with kCopySourceBytesMax and three bytes for each of the
// prefix.
[[nodiscard]] std::optional<std::string_view> write_copy_source(const CopySource& source,
                                                                std::string_view bucket,
                                                                std::string_view key_prefix,
                                                                std::span<char> out) noexcept;

}  // namespace tercel::s3
