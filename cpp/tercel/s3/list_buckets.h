// The answer to ListBuckets: the buckets that a client may see, whoever really has them.
//
//   ListBucketsQuery query;
//   if (auto error = read_list_buckets_query(request.query, scratch, query)) return answer(*error);
//   BucketListWriter writer{buckets, owner, query};
//   for (auto piece = writer.next(memory); !piece.empty(); piece = writer.next(memory)) ...
//
// Paginated as S3 does it: at most max-buckets of them, in the order of their names, and a
// continuation token when there are more, which is the last name. A bucket that is gone meanwhile
// makes no difference to the next page. Written piece by piece; nothing is allocated.
// Source: the API reference of Amazon S3, "ListBuckets". Tested by list_buckets_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/s3/error.h"

namespace tercel::s3 {

inline constexpr std::uint32_t kBucketsInListMax = 10'000;
inline constexpr std::size_t kListedTextBytesMax = 256;
// Room for any piece that is written.
inline constexpr std::size_t kListPieceBytesMax = 4096;

struct ListBucketsQuery {
  std::string_view prefix;
  std::string_view region;
  std::string_view after;  // The continuation token; empty: from the start.
  std::uint32_t buckets_max = kBucketsInListMax;
  bool tells_region = false;  // The request has any parameter: S3 tells regions then.
};

// `scratch` is where values are decoded; `list` is valid as long as it and `query` are. Other names
// of the query are passed over. InvalidArgument: a value is malformed, or out of range. REQUIRES:
// scratch.size() >= query.size().
[[nodiscard]] std::optional<ErrorCode> read_list_buckets_query(std::string_view query,
                                                               std::span<char> scratch,
                                                               ListBucketsQuery& list) noexcept;

struct ListedBucket {
  std::string_view name;
  std::string_view region;     // Empty: not told.
  std::int64_t created_s = 0;  // Since 1970.
};

struct BucketOwner {
  std::string_view id;
  std::string_view display_name;
};

// Resource: one answer. What it is made of outlives it.
class BucketListWriter {
 public:
  // REQUIRES: `buckets` are sorted by name, each once; no text is longer than kListedTextBytesMax.
  BucketListWriter(std::span<const ListedBucket> buckets, const BucketOwner& owner,
                   const ListBucketsQuery& query) noexcept;
  BucketListWriter(const BucketListWriter&) = delete;
  BucketListWriter& operator=(const BucketListWriter&) = delete;

  // The next piece, in `out`; empty: that was all. REQUIRES: out.size() >= kListPieceBytesMax.
  [[nodiscard]] std::string_view next(std::span<char> out) noexcept;

 private:
  enum class State : std::uint8_t { kHead, kBuckets, kEnd, kDone };

  // Takes buckets that are not asked for off the front.
  void skip() noexcept;

  std::span<const ListedBucket> rest_;
  BucketOwner owner_;
  ListBucketsQuery query_;
  std::string_view last_;  // Name of the last one that is written.
  std::uint32_t written_ = 0;
  State state_ = State::kHead;
};

}  // namespace tercel::s3
