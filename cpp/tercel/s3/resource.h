// Which bucket and which key a request names, by its host and its path.
//
//   Resource resource;
//   if (auto error = read_resource(request.authority, request.path, domains, memory, resource))
//     return answer(Refusal{*error});
//   resource.bucket, resource.key
//
// Path style has the bucket in the path, "/bucket/key"; virtual style in the host,
// "bucket.s3.example.com". A host that is under none of the domains is path style. A host of
// several domains belongs to the longest one. Port, case and one dot at the end of a host make no
// difference.
// A key is any text of UTF-8: "." and "..", slashes side by side, at the start or at the end are
// characters of it like others, and nothing is ever normalised. It is told as it was received, for
// who forwards it, and decoded once, for who judges it.
// A path is cut into bucket and key before it is decoded: "%2F" is no slash between them, and a
// bucket's name that has one is refused.
// Values; nothing is allocated. Source: the user guide of Amazon S3, "Virtual hosting of general
// purpose buckets", "General purpose bucket naming rules", "Naming Amazon S3 objects". Tested by
// resource_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/s3/error.h"
#include "tercel/s3/operation.h"

namespace tercel::s3 {

inline constexpr std::size_t kBucketBytesMax = 63;
inline constexpr std::size_t kKeyBytesMax = 1024;
// Where read_resource() decodes: a byte may have come as three.
inline constexpr std::size_t kResourceMemoryBytes = 3 * (kBucketBytesMax + kKeyBytesMax);

// Letters in lower case, digits, hyphens and dots, from 3 to 63; a letter or digit at both ends; no
// two dots side by side; no IPv4 address. Endings and beginnings that S3 keeps for itself, such as
// "-s3alias", are names that exist: it does not let anyone create them.
[[nodiscard]] bool valid_bucket_name(std::string_view name) noexcept;

enum class AddressingStyle : std::uint8_t { kPath, kVirtual };

struct Resource {
  std::string_view bucket;   // Empty: the request is for the service.
  std::string_view raw_key;  // Percent-encoded as it was received, without the slash before it.
  std::string_view key;      // Decoded.
  AddressingStyle style = AddressingStyle::kPath;

  [[nodiscard]] Level level() const noexcept {
    if (bucket.empty()) return Level::kService;
    return raw_key.empty() ? Level::kBucket : Level::kObject;
  }
};

// `host` is that of the request, perhaps with a port. `path` is what precedes the query, still
// percent-encoded. `domains`: hosts of the gateway, in lower case, without port. `memory`: where
// decoded texts are; the resource is valid as long as it and the path are.
// Nothing: `resource` is set. InvalidURI: the path is no absolute path, an escape is malformed, or
// the key is not UTF-8. InvalidBucketName. KeyTooLongError. REQUIRES: memory.size() >=
// kResourceMemoryBytes.
[[nodiscard]] std::optional<ErrorCode> read_resource(std::string_view host, std::string_view path,
                                                     std::span<const std::string_view> domains,
                                                     std::span<char> memory,
                                                     Resource& resource) noexcept;

}  // namespace tercel::s3
