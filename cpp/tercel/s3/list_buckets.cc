#include "tercel/s3/list_buckets.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "tercel/base/assert.h"
#include "tercel/base/parse_number.h"
#include "tercel/http/query.h"
#include "tercel/s3/resource.h"
#include "tercel/s3/xml_text.h"

namespace tercel::s3 {
namespace {

// "2013-05-24T00:00:00.000Z"
constexpr std::size_t kTimeBytes = 24;
using TimeText = std::array<char, kTimeBytes>;

void write_digits(TimeText& text, std::size_t at, std::size_t digits, std::int64_t value) noexcept {
  for (std::size_t i = digits; i-- > 0; value /= 10) {
    text[at + i] = static_cast<char>('0' + value % 10);
  }
}

// Years from 0 to 9999.
TimeText write_time(std::int64_t unix_s) noexcept {
  constexpr std::int64_t kFirst = -62'167'219'200;
  constexpr std::int64_t kLast = 253'402'300'799;
  const std::chrono::sys_seconds time{
      std::chrono::seconds{std::clamp<std::int64_t>(unix_s, kFirst, kLast)}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::int64_t second = (time - day).count();
  TimeText text;
  std::memcpy(text.data(), "0000-00-00T00:00:00.000Z", kTimeBytes);
  write_digits(text, 0, 4, static_cast<int>(date.year()));
  write_digits(text, 5, 2, static_cast<unsigned>(date.month()));
  write_digits(text, 8, 2, static_cast<unsigned>(date.day()));
  write_digits(text, 11, 2, second / 3600);
  write_digits(text, 14, 2, second / 60 % 60);
  write_digits(text, 17, 2, second % 60);
  return text;
}

class PieceWriter {
 public:
  explicit PieceWriter(std::span<char> out) noexcept : out_{out} {}

  [[nodiscard]] std::size_t room() const noexcept { return out_.size() - size_; }
  void markup(std::string_view text) noexcept { size_ += text.copy(out_.data() + size_, room()); }
  void element(std::string_view name, std::string_view value) noexcept {
    markup("<");
    markup(name);
    markup(">");
    const auto escaped = escape_xml(value.substr(0, kListedTextBytesMax), out_.subspan(size_));
    if (escaped) size_ += escaped->size();
    markup("</");
    markup(name);
    markup(">");
  }
  [[nodiscard]] std::string_view written() const noexcept { return {out_.data(), size_}; }

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
};

// Of one bucket, with tags.
constexpr std::size_t kEntryBytesMax = 2048;
static_assert(6 * kListedTextBytesMax + kBucketBytesMax + kTimeBytes + 128 <= kEntryBytesMax);
static_assert(12 * kListedTextBytesMax + 512 <= kListPieceBytesMax);

void write_bucket(const ListedBucket& bucket, bool tells_region, PieceWriter& to) noexcept {
  const TimeText created = write_time(bucket.created_s);
  to.markup("<Bucket>");
  to.element("Name", bucket.name);
  to.element("CreationDate", {created.data(), created.size()});
  if (tells_region && !bucket.region.empty()) to.element("BucketRegion", bucket.region);
  to.markup("</Bucket>");
}

// False: the value is malformed.
bool take(const http::QueryPair& pair, ListBucketsQuery& list) noexcept {
  if (pair.name == "max-buckets") {
    const auto count = parse_decimal(pair.value, kBucketsInListMax);
    if (!count || *count == 0) return false;
    list.buckets_max = static_cast<std::uint32_t>(*count);
  } else if (pair.name == "prefix") {
    list.prefix = pair.value;
  } else if (pair.name == "bucket-region") {
    list.region = pair.value;
  } else if (pair.name == "continuation-token") {
    if (!valid_bucket_name(pair.value)) return false;
    list.after = pair.value;
  } else {
    return true;
  }
  list.tells_region = true;
  return pair.value.size() <= kListedTextBytesMax && pair.value_is_utf8;
}

}  // namespace

std::optional<ErrorCode> read_list_buckets_query(std::string_view query, std::span<char> scratch,
                                                 ListBucketsQuery& list) noexcept {
  list = {};
  http::QueryPairs pairs{query, scratch, http::Escapes::kStrict};
  http::QueryPair pair;
  for (;;) {
    const Result<bool> more = pairs.next(pair);
    if (!more) return ErrorCode::kInvalidArgument;
    if (!*more) return std::nullopt;
    if (!take(pair, list)) return ErrorCode::kInvalidArgument;
  }
}

BucketListWriter::BucketListWriter(std::span<const ListedBucket> buckets, const BucketOwner& owner,
                                   const ListBucketsQuery& query) noexcept
    : rest_{buckets}, owner_{owner}, query_{query} {
  const auto first = std::upper_bound(
      buckets.begin(), buckets.end(), query.after,
      [](std::string_view after, const ListedBucket& bucket) { return after < bucket.name; });
  rest_ = buckets.subspan(static_cast<std::size_t>(first - buckets.begin()));
}

std::string_view BucketListWriter::next(std::span<char> out) noexcept {
  TERCEL_ASSERT(out.size() >= kListPieceBytesMax);
  PieceWriter to{out};
  switch (state_) {
    case State::kHead:
      to.markup(
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner>");
      to.element("ID", owner_.id);
      to.element("DisplayName", owner_.display_name);
      to.markup("</Owner><Buckets>");
      state_ = State::kBuckets;
      break;
    case State::kBuckets:
      for (skip(); !rest_.empty() && written_ < query_.buckets_max; skip()) {
        if (to.room() < kEntryBytesMax) return to.written();
        write_bucket(rest_.front(), query_.tells_region, to);
        last_ = rest_.front().name;
        rest_ = rest_.subspan(1);
        ++written_;
      }
      [[fallthrough]];
    case State::kEnd:
      if (to.room() < kEntryBytesMax) {
        state_ = State::kEnd;
        return to.written();
      }
      to.markup("</Buckets>");
      if (!query_.prefix.empty()) to.element("Prefix", query_.prefix);
      if (!rest_.empty()) to.element("ContinuationToken", last_);
      to.markup("</ListAllMyBucketsResult>");
      state_ = State::kDone;
      break;
    case State::kDone:
      break;
  }
  return to.written();
}

void BucketListWriter::skip() noexcept {
  const auto wanted = [this](const ListedBucket& bucket) {
    return bucket.name.starts_with(query_.prefix) &&
           (query_.region.empty() || bucket.region == query_.region);
  };
  const auto first = std::find_if(rest_.begin(), rest_.end(), wanted);
  rest_ = rest_.subspan(static_cast<std::size_t>(first - rest_.begin()));
}

}  // namespace tercel::s3
