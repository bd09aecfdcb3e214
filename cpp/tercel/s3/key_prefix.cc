#include "tercel/s3/key_prefix.h"

#include <algorithm>
#include <array>

#include "tercel/base/percent.h"
#include "tercel/base/utf8.h"
#include "tercel/http/chars.h"
#include "tercel/s3/resource.h"

namespace tercel::s3 {
namespace {

// Nobody decodes as often.
constexpr int kDecodingsMax = 8;

// Up to the next '/' or '\', which is taken off with it.
std::string_view next_segment(std::string_view& text) noexcept {
  const std::size_t end = std::min(text.find_first_of("/\\"), text.size());
  const std::string_view segment = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return segment;
}

bool has_nul(std::string_view text) noexcept {
  return text.find('\0') != std::string_view::npos;
}

bool climbs(std::string_view text) noexcept {
  if (has_nul(text)) return true;
  while (!text.empty()) {
    if (next_segment(text) == "..") return true;
  }
  return false;
}

bool can_be_shortened(std::string_view text) noexcept {
  if (has_nul(text)) return true;
  while (!text.empty()) {
    const std::string_view segment = next_segment(text);
    if (segment.empty() || segment == "." || segment == "..") return true;
  }
  return false;
}

// Whether `is_bad` says so of `text`, as it is or decoded, or it is too long to be looked at.
template <typename IsBad>
bool is_bad_however_decoded(std::string_view text, IsBad is_bad) noexcept {
  std::array<char, 4096> memory;
  if (text.size() > memory.size() || is_bad(text)) return true;
  for (int i = 0; text.find('%') != std::string_view::npos; ++i) {
    if (i == kDecodingsMax) return true;
    const std::string_view decoded = percent_decode(text, memory);
    if (decoded.size() == text.size()) return false;  // No escape is left.
    if (is_bad(decoded)) return true;
    text = decoded;
  }
  return false;
}

}  // namespace

bool climbs_out(std::string_view text) noexcept {
  return is_bad_however_decoded(text, climbs);
}

bool is_plain_key(std::string_view text) noexcept {
  return !is_bad_however_decoded(text, can_be_shortened);
}

namespace {

constexpr std::string_view name_of(std::string_view pair) noexcept {
  return pair.substr(0, pair.find('='));
}

constexpr std::string_view value_of(std::string_view pair) noexcept {
  return pair.substr(std::min(name_of(pair).size() + 1, pair.size()));
}

// Nothing: it may stand behind the prefix. `value` is percent-encoded.
std::optional<ErrorCode> check_encoded(std::string_view prefix, std::string_view value) noexcept {
  std::array<char, 3 * kKeyBytesMax> memory;
  if (value.size() > memory.size()) return ErrorCode::kKeyTooLongError;
  return check_key_below(prefix, percent_decode(value, memory));
}

// What stands for a version, an upload or a place in a list.
bool is_id(std::string_view name) noexcept {
  constexpr std::string_view kIds[] = {"continuation-token", "upload-id-marker", "uploadId",
                                       "version-id-marker", "versionId"};
  return std::ranges::find(kIds, name) != std::end(kIds);
}

bool has_id_that_climbs(std::string_view query) noexcept {
  while (!query.empty()) {
    const std::string_view pair = http::next_element(query, '&');
    if (is_id(name_of(pair)) && climbs_out(value_of(pair))) return true;
  }
  return false;
}

void append_pair(std::string_view name, std::string_view prefix, std::string_view value,
                 std::string& out) {
  if (!out.empty()) out.push_back('&');
  out.append(name).push_back('=');
  append_encoded(prefix, Part::kQuery, out);
  out.append(value);
}

// What says where a list begins, and what says the same so that it is left out.
struct Markers {
  std::string_view name;
  std::string_view other = {};
};

Markers markers_of(Operation operation) noexcept {
  switch (operation) {
    case Operation::kListObjects:
      return {"marker"};
    case Operation::kListObjectsV2:
      return {"start-after", "continuation-token"};
    case Operation::kListObjectVersions:
      return {"key-marker", "version-id-marker"};
    case Operation::kListMultipartUploads:
      return {"key-marker"};
    default:
      return {};
  }
}

}  // namespace

bool valid_key_prefix(std::string_view prefix) noexcept {
  if (prefix.empty() || prefix.size() > kKeyPrefixBytesMax || !prefix.ends_with('/')) return false;
  if (!is_utf8(prefix)) return false;
  if (std::ranges::any_of(prefix, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; })) {
    return false;
  }
  if (climbs_out(prefix)) return false;
  while (!prefix.empty()) {
    const std::string_view segment = next_segment(prefix);
    if (segment.empty() || segment == ".") return false;
  }
  return true;
}

bool acts_within_prefix(Operation operation) noexcept {
  switch (operation) {
    case Operation::kDeleteObjects:
    case Operation::kGetBucketLocation:
    case Operation::kGetBucketVersioning:
    case Operation::kGetObjectLockConfiguration:
    case Operation::kHeadBucket:
    case Operation::kPreflight:
      return true;
    // The place for what is restored may be another bucket.
    case Operation::kRestoreObject:
    // It has the key in a format of its own.
    case Operation::kGetObjectTorrent:
      return false;
    default:
      return lists_keys(operation) || info(operation).level == Level::kObject;
  }
}

bool lists_keys(Operation operation) noexcept {
  return operation == Operation::kListObjects || operation == Operation::kListObjectsV2 ||
         operation == Operation::kListObjectVersions ||
         operation == Operation::kListMultipartUploads;
}

std::optional<ErrorCode> check_key_below(std::string_view prefix, std::string_view key) noexcept {
  if (prefix.size() + key.size() > kKeyBytesMax) return ErrorCode::kKeyTooLongError;
  if (climbs_out(key)) return ErrorCode::kInvalidArgument;
  return std::nullopt;
}

void append_encoded(std::string_view text, Part part, std::string& out) {
  for (const char& c : text) {
    const Escape escape{c};
    out.append(plain_bytes(part).has(c) ? std::string_view{&c, 1}
                                        : std::string_view{escape.text, sizeof escape.text});
  }
}

std::optional<ErrorCode> append_query_below(std::string_view prefix, Operation operation,
                                            std::string_view query, std::string& out) {
  if (has_id_that_climbs(query)) return ErrorCode::kInvalidArgument;
  if (!lists_keys(operation)) {
    out.append(query);
    return std::nullopt;
  }
  const Markers markers = markers_of(operation);
  std::string_view listed;
  std::string_view marker;
  bool goes_on = false;
  while (!query.empty()) {
    const std::string_view pair = http::next_element(query, '&');
    const std::string_view name = name_of(pair);
    if (name == "prefix") {
      listed = value_of(pair);
    } else if (name == markers.name) {
      marker = value_of(pair);
    } else {
      goes_on |= !markers.other.empty() && name == markers.other;
      append_pair(name, {}, value_of(pair), out);
    }
  }
  if (const auto error = check_encoded(prefix, listed)) return error;
  if (const auto error = check_encoded(prefix, marker)) return error;
  append_pair("prefix", prefix, listed, out);
  // An upload that is called like the prefix there is not: no client can begin one.
  const bool hides_empty =
      listed.empty() && !goes_on && operation != Operation::kListMultipartUploads;
  if (!marker.empty() || hides_empty) append_pair(markers.name, prefix, marker, out);
  return std::nullopt;
}

}  // namespace tercel::s3
