#include "tercel/s3/copy_source.h"

#include <algorithm>

#include "tercel/base/assert.h"
#include "tercel/base/percent.h"
#include "tercel/base/utf8.h"
#include "tercel/s3/uri_encoding.h"

namespace tercel::s3 {
namespace {

constexpr std::string_view kVersion = "?versionId=";

std::string_view decode(std::string_view text, std::span<char> out) noexcept {
  std::transform(text.begin(), text.end(), out.begin(), [](char c) { return c == '+' ? ' ' : c; });
  return percent_decode({out.data(), text.size()}, out);
}

class Writer {
 public:
  explicit Writer(std::span<char> out) noexcept : out_{out} {}

  void raw(std::string_view text) noexcept {
    for (const char c : text) put(c);
  }
  // `text` is decoded: a '%' is one.
  void encode(std::string_view text) noexcept {
    for (const char& c : text) {
      const Escape escape{c};
      raw(kUnreservedOrSlash.has(c) ? std::string_view{&c, 1} : std::string_view{escape.text, 3});
    }
  }
  [[nodiscard]] std::optional<std::string_view> written() const noexcept {
    if (full_) return std::nullopt;
    return std::string_view{out_.data(), size_};
  }

 private:
  void put(char c) noexcept {
    full_ = full_ || size_ == out_.size();
    if (!full_) out_[size_++] = c;
  }

  std::span<char> out_;
  std::size_t size_ = 0;
  bool full_ = false;
};

}  // namespace

std::optional<ErrorCode> read_copy_source(std::string_view value, std::span<char> memory,
                                          CopySource& source) noexcept {
  TERCEL_ASSERT(memory.size() >= kCopySourceBytesMax);
  if (value.size() > kCopySourceBytesMax) return ErrorCode::kInvalidArgument;
  if (!valid_percent_encoding(value)) return ErrorCode::kInvalidArgument;
  source = {};
  const std::string_view raw_object = value.substr(0, value.find('?'));
  std::string_view query = value.substr(raw_object.size());
  if (!query.empty()) {
    if (!query.starts_with(kVersion)) return ErrorCode::kInvalidArgument;
    query.remove_prefix(kVersion.size());
    // One parameter: a second one would be for the backend alone.
    if (query.empty() || query.find('&') != std::string_view::npos) {
      return ErrorCode::kInvalidArgument;
    }
    source.version_id = decode(query, memory.subspan(raw_object.size()));
    if (source.version_id.size() > kVersionIdBytesMax) return ErrorCode::kInvalidArgument;
  }
  std::string_view object = decode(raw_object, memory.first(raw_object.size()));
  if (object.starts_with("arn:")) return ErrorCode::kNotImplemented;
  if (object.starts_with('/')) object.remove_prefix(1);
  const std::size_t slash = object.find('/');
  if (slash == std::string_view::npos) return ErrorCode::kInvalidArgument;
  source.bucket = object.substr(0, slash);
  source.key = object.substr(slash + 1);
  if (!valid_bucket_name(source.bucket)) return ErrorCode::kInvalidBucketName;
  if (source.key.empty() || !is_utf8(source.key)) return ErrorCode::kInvalidArgument;
  if (source.key.size() > kKeyBytesMax) return ErrorCode::kKeyTooLongError;
  return std::nullopt;
}

std::optional<std::string_view> write_copy_source(const CopySource& source, std::string_view bucket,
                                                  std::string_view key_prefix,
                                                  std::span<char> out) noexcept {
  Writer writer{out};
  writer.encode(bucket);
  writer.raw("/");
  writer.encode(key_prefix);
  writer.encode(source.key);
  if (!source.version_id.empty()) {
    writer.raw(kVersion);
    writer.encode(source.version_id);
  }
  return writer.written();
}

}  // namespace tercel::s3
