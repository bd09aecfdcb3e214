#include "tercel/edge/file_answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <utility>

#include "tercel/base/assert.h"
#include "tercel/base/keyed_hash.h"
#include "tercel/http/chars.h"
#include "tercel/http/conditional.h"
#include "tercel/http/date.h"
#include "tercel/http/multipart_ranges.h"
#include "tercel/http/range.h"
#include "tercel/net/syscalls.h"

namespace tercel::edge {
namespace {

using http::Field;
using http::Final;
using http::Payload;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::size_t kOwnFieldsMax = 8;

// Text of a size that is known.
template <std::size_t kBytes>
class Text {
 public:
  void add(std::string_view text) noexcept {
    TERCEL_ASSERT(bytes_ + text.size() <= kBytes);
    bytes_ += text.copy(text_.data() + bytes_, text.size());
  }
  void add(std::uint64_t number, int base) noexcept {
    bytes_ = static_cast<std::size_t>(
        std::to_chars(end(), text_.data() + kBytes, number, base).ptr - text_.data());
  }
  // For what writes behind it and returns the end.
  [[nodiscard]] char* end() noexcept { return text_.data() + bytes_; }
  void set_end(const char* end) noexcept { bytes_ = static_cast<std::size_t>(end - text_.data()); }
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), bytes_}; }

 private:
  std::array<char, kBytes> text_;
  std::size_t bytes_ = 0;
};

void close_owned(void* owner) noexcept {
  net::system_calls().close(static_cast<int>(reinterpret_cast<std::intptr_t>(owner)));
}

// The descriptor of an answer in several parts, closed after the last of them.
struct SharedFile {
  OpenFile file;
  std::size_t users = 1;

  [[nodiscard]] http::FileRange range(const http::ByteRange& range) noexcept {
    ++users;
    return {.file = file.descriptor(),
            .offset = range.first,
            .count = range.bytes(),
            .owner = this,
            .release = &leave};
  }
  static void leave(void* owner) noexcept {
    auto* const shared = static_cast<SharedFile*>(owner);
    if (--shared->users == 0) delete shared;
  }
};

// One answer. Resource: lives until it is sent.
class FileAnswer {
 public:
  FileAnswer(http::Exchange& exchange, const Asked& request, OpenFile file, const FileHead& head,
             nanoseconds now) noexcept
      : exchange_{exchange},
        request_{request},
        file_{std::move(file)},
        size_{file_.size()},
        head_{head},
        now_{now} {}

  [[nodiscard]] Result<void> send() noexcept {
    find_validators();
    add_fields();
    if (!request_.reads() || head_.status != 200) return send_whole();
    const seconds today = std::chrono::floor<seconds>(now_);
    const http::Response whole{.status = 200, .fields = std::span{fields_}.first(count_)};
    if (auto answered =
            answer_conditions(exchange_, request_, whole, current_, today, head_.refuse)) {
      return *answered;
    }
    const Field* const range = http::find_field(request_.fields, "range");
    if (request_.method != "GET" || range == nullptr ||
        !http::range_applies(request_.fields, current_, today)) {
      return send_whole();
    }
    http::ByteRanges ranges;
    switch (http::parse_range(range->value, size_, ranges)) {
      case http::RangeVerdict::kWhole:
        return send_whole();
      case http::RangeVerdict::kUnsatisfiable:
        refuse_range();
        return {};
      case http::RangeVerdict::kPartial:
        break;
    }
    return ranges.all().size() == 1 ? send_part(ranges.all()[0]) : send_parts(ranges.all());
  }

 private:
  // --- validators
  void find_validators() noexcept {
    current_ = validators_of(head_.fields, std::chrono::floor<seconds>(now_));
    if (http::find_field(head_.fields, "etag") == nullptr) make_entity_tag();
    if (http::find_field(head_.fields, "last-modified") == nullptr &&
        file_.modified() >= kDatesBegin) {
      make_date();
    }
  }
  void make_entity_tag() noexcept {
    const bool dated = file_.modified() >= kDatesBegin;
    const nanoseconds last = dated ? file_.modified() : file_.changed();
    const bool settled = now_ - last >= kSettlingTime;
    if (!settled) etag_.add("W/");
    etag_.add("\"");
    etag_.add(static_cast<std::uint64_t>(last.count()), 16);
    etag_.add("-");
    etag_.add(size_, 16);
    // The same bytes in another coding are another representation.
    if (!head_.content_encoding.empty()) {
      etag_.add("-");
      etag_.add(head_.content_encoding);
    }
    etag_.add("\"");
    current_.etag = http::parse_entity_tag(etag_.view());
  }
  void make_date() noexcept {
    // A date in the future would be true for ever: RFC 9110 section 8.8.2.1.
    const seconds modified = std::chrono::floor<seconds>(std::min(file_.modified(), now_));
    current_.last_modified = modified;
    current_.last_modified_is_strong = now_ - file_.modified() >= kSettlingTime;
    date_.set_end(http::write_imf_fixdate(date_.end(), modified));
  }

  // --- fields
  void add(std::string_view name, std::string_view value) noexcept {
    TERCEL_ASSERT(count_ < fields_.size());
    fields_[count_++] = {name, value};
  }
  void add_fields() noexcept {
    const auto given = head_.fields.first(std::min(head_.fields.size(), kFileFieldsMax));
    for (const Field& field : given) add(field.name, field.value);
    if (!head_.content_type.empty() && http::find_field(given, "content-type") == nullptr) {
      add("content-type", head_.content_type);
    }
    if (!head_.content_encoding.empty()) add("content-encoding", head_.content_encoding);
    if (!etag_.view().empty()) add("etag", etag_.view());
    if (!date_.view().empty()) add("last-modified", date_.view());
    if (http::find_field(given, "accept-ranges") == nullptr) add("accept-ranges", "bytes");
  }
  // In place of what it was; returns that.
  std::string_view set_content_type(std::string_view value) noexcept {
    for (Field& field : std::span{fields_}.first(count_)) {
      if (http::equals_ignoring_case(field.name, "content-type")) {
        return std::exchange(field.value, value);
      }
    }
    add("content-type", value);
    return {};
  }
  void add_length(std::uint64_t bytes) noexcept {
    length_.add(bytes, 10);
    add("content-length", length_.view());
  }
  [[nodiscard]] Result<void> start(std::uint16_t status) noexcept {
    return exchange_.start({.status = status, .fields = std::span{fields_}.first(count_)});
  }

  // --- answers
  [[nodiscard]] Result<void> send_whole() noexcept {
    add_length(size_);
    if (auto started = start(head_.status); !started) return started;
    send_bytes(0, size_);
    return {};
  }
  void refuse_range() noexcept {
    Text<http::kContentRangeBytesMax> text;
    text.set_end(http::write_unsatisfied_range(text.end(), size_));
    const std::array<Field, 1> fields{{{"content-range", text.view()}}};
    head_.refuse(exchange_, request_, Errc::kRangeUnsatisfiable, fields);
  }
  [[nodiscard]] Result<void> send_part(const http::ByteRange& range) noexcept {
    Text<http::kContentRangeBytesMax> text;
    text.set_end(http::write_content_range(text.end(), range, size_));
    add("content-range", text.view());
    add_length(range.bytes());
    if (auto started = start(206); !started) return started;
    send_bytes(range.first, range.bytes());
    return {};
  }
  void send_bytes(std::uint64_t offset, std::uint64_t count) noexcept {
    const int descriptor = file_.release();
    // An owner that is a number needs no memory. NOLINTNEXTLINE(performance-no-int-to-ptr)
    void* const owner = reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor));
    (void)exchange_.write_file({.file = descriptor,
                                .offset = offset,
                                .count = count,
                                .owner = owner,
                                .release = &close_owned},
                               Final::kYes);
  }
  [[nodiscard]] Result<void> send_parts(std::span<const http::ByteRange> ranges) noexcept {
    auto* const shared = new (std::nothrow) SharedFile{std::move(file_)};
    if (shared == nullptr) {
      exchange_.abort(Errc::kNoMemory);
      return {};
    }
    const Result<void> sent = send_parts_of(*shared, ranges);
    SharedFile::leave(shared);
    // The analyzer loses count of the users.
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
    return sent;
  }
  [[nodiscard]] Result<void> send_parts_of(SharedFile& shared,
                                           std::span<const http::ByteRange> ranges) noexcept {
    const KeyedHash random = KeyedHash::random();
    http::MultipartRanges frames{set_content_type({}), size_, {random(0), random(1)}};
    set_content_type(frames.content_type());
    add_length(frames.bytes(ranges));
    if (auto started = start(206); !started) return started;
    for (const http::ByteRange& range : ranges) {
      // The peer may be gone at any of them; the exchange is, too, then.
      if (!exchange_.write(Payload::borrow(frames.before(range)), Final::kNo)) return {};
      if (!exchange_.write_file(shared.range(range), Final::kNo)) return {};
    }
    (void)exchange_.write(Payload::borrow(frames.end()), Final::kYes);
    return {};
  }

  http::Exchange& exchange_;
  const Asked& request_;
  OpenFile file_;
  std::uint64_t size_;
  const FileHead& head_;
  nanoseconds now_;
  http::Validators current_;
  std::array<Field, kFileFieldsMax + kOwnFieldsMax> fields_;
  std::size_t count_ = 0;
  Text<64> etag_;
  Text<http::kImfFixdateBytes> date_;
  Text<20> length_;
};

}  // namespace

Result<void> answer_file(http::Exchange& exchange, const Asked& request, OpenFile file,
                         const FileHead& head, nanoseconds now) noexcept {
  return FileAnswer{exchange, request, std::move(file), head, now}.send();
}

}  // namespace tercel::edge
