// A part of a bucket as if it were a bucket: the keys that begin with a prefix, without it.
//
//   if (!acts_within_prefix(operation)) return answer(Refusal{ErrorCode::kAccessDenied});
//   if (auto error = check_key_below(prefix, resource.key)) return answer(Refusal{*error});
//   append_encoded(prefix, Part::kPath, path);           // Before the key of the path.
//   if (auto error = append_query_below(prefix, operation, query, out)) ...
//
// A prefix is a folder: it ends with '/', so that "team-a/" never has what is in "team-ab/".
// Keys are text to S3, and ".." in one is two dots; but there are backends that keep keys as files,
// and what they hand such a key to may climb out of the folder. So no key, marker or prefix of a
// client may have a segment ".." between slashes or backslashes, however often it is decoded, nor a
// NUL byte; nor may what else such a backend makes names of files of: versions, uploads, tokens.
// Lists always have the prefix, and begin behind the object that is called like it, whose
// key would be empty. Answers are rewritten by rewrite.h, the keys of DeleteObjects by
// delete_objects.h, the source of a copy by copy_source.h. Continuation tokens are passed: they say
// where a list goes on, and the prefix beside them where it ends.
// Values. Source: the API reference of Amazon S3. Tested by key_prefix_test.cc, fuzzed by
// key_prefix_fuzz.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tercel/s3/error.h"
#include "tercel/s3/operation.h"
#include "tercel/s3/uri_encoding.h"

namespace tercel::s3 {

inline constexpr std::size_t kKeyPrefixBytesMax = 512;

// UTF-8 without control characters, of segments that are neither empty nor dots, each with a '/'
// behind it; not longer than kKeyPrefixBytesMax.
[[nodiscard]] bool valid_key_prefix(std::string_view prefix) noexcept;

// Whether what the operation does is about keys that can be mapped, or tells of the bucket what
// every client of it may know. Not so: what is of the whole bucket, as its policy and its deletion,
// credentials for it, forms, and what may write or tell keys in a way of its own.
[[nodiscard]] bool acts_within_prefix(Operation operation) noexcept;

// Whether a list of keys is answered: with keys in percent-encoding where encoding-type asks so.
[[nodiscard]] bool lists_keys(Operation operation) noexcept;

// Whether there is a segment ".." in `text`, or a NUL byte, as it is or decoded again and again, or
// it is too long to be looked at (4 KiB).
[[nodiscard]] bool climbs_out(std::string_view text) noexcept;

// Whether a key, or the beginning of one, is its own name to every backend: one that keeps keys as
// files has "a/../b", "a//b" and "/b" be "b". No segment "." or "..", none that is empty but the
// last, and no NUL byte, as it is or decoded again and again; segments are as in climbs_out().
[[nodiscard]] bool is_plain_key(std::string_view text) noexcept;

// Nothing: `key` may stand behind the prefix. KeyTooLongError, InvalidArgument. `key` is decoded.
[[nodiscard]] std::optional<ErrorCode> check_key_below(std::string_view prefix,
                                                       std::string_view key) noexcept;

// Appends `text`, which is decoded.
void append_encoded(std::string_view text, Part part, std::string& out);

// Appends the query of an operation, with the keys in it behind the prefix. `query` is in canonical
// form, and has each name once: operation.h knows no other. KeyTooLongError, InvalidArgument: then
// `out` is of no use. REQUIRES: acts_within_prefix(operation).
[[nodiscard]] std::optional<ErrorCode> append_query_below(std::string_view prefix,
                                                          Operation operation,
                                                          std::string_view query, std::string& out);

}  // namespace tercel::s3
