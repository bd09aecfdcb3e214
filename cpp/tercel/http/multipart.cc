#include "tercel/http/multipart.h"

#include <algorithm>

#include "tercel/base/assert.h"
#include "tercel/http/chars.h"
#include "tercel/http/h1_field.h"

namespace tercel::http {
namespace {

// The line end that a delimiter begins with, where it is there already: before the body, and behind
// the head of a part.
constexpr std::size_t kLineEndBytes = 2;

}  // namespace

Result<std::string_view> form_boundary(const MediaType& type) noexcept {
  if (!valid_boundary(type.boundary)) return fail(Errc::kBadBoundary);
  return type.boundary;
}

MultipartParser::MultipartParser(std::string_view boundary, const MultipartLimits& limits,
                                 std::span<char> memory) noexcept
    : delimiter_{boundary},
      limits_{limits},
      memory_{memory},
      matched_{kLineEndBytes},
      borrowed_{kLineEndBytes} {
  TERCEL_ASSERT(memory.size() >= memory_bytes(limits));
  TERCEL_ASSERT(limits.part_fields_max <= kPartFieldsMax);
}

MultipartParser::Event MultipartParser::next(std::string_view& bytes) noexcept {
  while (!bytes.empty()) {
    if (const auto event = step(bytes)) return *event;
  }
  return Event::kNeedMore;
}

bool MultipartParser::complete() const noexcept {
  return state_ == State::kLastPadding || state_ == State::kLastLineFeed ||
         state_ == State::kEpilogue;
}

std::optional<MultipartParser::Event> MultipartParser::step(std::string_view& bytes) noexcept {
  switch (state_) {
    case State::kPreamble:
    case State::kData:
      return matched_ > 0 ? match_delimiter(bytes) : read_to_delimiter(bytes);
    case State::kBehind:
    case State::kDash:
      return read_behind(bytes);
    case State::kPadding:
    case State::kLastPadding:
      return read_padding(bytes);
    case State::kLineFeed:
    case State::kLastLineFeed:
      return read_line_feed(bytes);
    case State::kHead:
      return read_head(bytes);
    case State::kEpilogue:
      return read_epilogue(bytes);
    case State::kFailed:
      break;
  }
  return Event::kFailed;
}

std::optional<MultipartParser::Event> MultipartParser::read_to_delimiter(
    std::string_view& bytes) noexcept {
  const std::size_t before = delimiter_.find(bytes);
  if (before == 0) return match_delimiter(bytes);
  const std::string_view data = bytes.substr(0, before);
  bytes.remove_prefix(before);
  return give(data);
}

// Goes on with a delimiter of which matched_ bytes were there.
std::optional<MultipartParser::Event> MultipartParser::match_delimiter(
    std::string_view& bytes) noexcept {
  const std::string_view text = delimiter_.text();
  const std::string_view missing = text.substr(matched_);
  const std::size_t size = std::min(missing.size(), bytes.size());
  const auto differs = std::mismatch(missing.begin(), missing.begin() + size, bytes.begin()).first;
  const auto same = static_cast<std::size_t>(differs - missing.begin());
  bytes.remove_prefix(same);
  matched_ += same;
  if (matched_ == text.size()) return end_data();
  if (bytes.empty()) return std::nullopt;
  // It was none. What follows is looked at anew: a delimiter holds no CR but its first byte.
  const std::string_view data = text.substr(borrowed_, matched_ - borrowed_);
  matched_ = borrowed_ = 0;
  return data.empty() ? std::nullopt : give(data);
}

std::optional<MultipartParser::Event> MultipartParser::end_data() noexcept {
  const bool in_part = state_ == State::kData;
  matched_ = borrowed_ = 0;
  dropped_ = 0;
  state_ = State::kBehind;
  return in_part ? std::optional{Event::kPartEnd} : std::nullopt;
}

std::optional<MultipartParser::Event> MultipartParser::give(std::string_view data) noexcept {
  if (state_ == State::kData) {
    data_ = data;
    return Event::kData;
  }
  dropped_ += data.size();
  if (dropped_ > limits_.preamble_bytes_max) return fail_with(Errc::kBadForm);
  return std::nullopt;
}

// A last delimiter has two dashes behind it.
std::optional<MultipartParser::Event> MultipartParser::read_behind(
    std::string_view& bytes) noexcept {
  const bool dash = bytes.front() == '-';
  if (state_ == State::kBehind && !dash) {
    state_ = State::kPadding;
    return std::nullopt;
  }
  if (!dash) return fail_with(Errc::kBadForm);
  bytes.remove_prefix(1);
  if (state_ == State::kBehind) {
    state_ = State::kDash;
    return std::nullopt;
  }
  state_ = State::kLastPadding;
  return Event::kEnd;
}

std::optional<MultipartParser::Event> MultipartParser::read_padding(
    std::string_view& bytes) noexcept {
  const char c = bytes.front();
  bytes.remove_prefix(1);
  if (c == '\r') {
    state_ = state_ == State::kPadding ? State::kLineFeed : State::kLastLineFeed;
    return std::nullopt;
  }
  if (!is_blank(c) || ++dropped_ > limits_.padding_bytes_max) return fail_with(Errc::kBadForm);
  return std::nullopt;
}

std::optional<MultipartParser::Event> MultipartParser::read_line_feed(
    std::string_view& bytes) noexcept {
  if (bytes.front() != '\n') return fail_with(Errc::kBadForm);
  bytes.remove_prefix(1);
  dropped_ = 0;
  if (state_ == State::kLastLineFeed) {
    state_ = State::kEpilogue;
    return std::nullopt;
  }
  if (++parts_ > limits_.parts_max) return fail_with(Errc::kTooManyParts);
  head_bytes_ = line_begin_ = fields_count_ = 0;
  state_ = State::kHead;
  return std::nullopt;
}

std::optional<MultipartParser::Event> MultipartParser::read_head(std::string_view& bytes) noexcept {
  const std::size_t line_feed = bytes.find('\n');
  const bool whole_line = line_feed != std::string_view::npos;
  const std::size_t size = whole_line ? line_feed + 1 : bytes.size();
  const std::size_t room = limits_.part_head_bytes_max - head_bytes_;
  const std::size_t room_of_all = limits_.heads_bytes_max - heads_bytes_;
  if (size > std::min(room, room_of_all)) {
    return fail_with(room <= room_of_all ? Errc::kPartHeadTooLarge : Errc::kPartHeadsTooLarge);
  }
  bytes.copy(memory_.data() + head_bytes_, size);
  bytes.remove_prefix(size);
  head_bytes_ += size;
  heads_bytes_ += size;
  return whole_line ? read_head_line() : std::nullopt;
}

// REQUIRES: a line feed is the last byte of memory_ that is used.
std::optional<MultipartParser::Event> MultipartParser::read_head_line() noexcept {
  char* const begin = memory_.data() + line_begin_;
  char* const end = memory_.data() + head_bytes_;
  line_begin_ = head_bytes_;
  if (parse_line_end(begin, end).piece == Piece::kDone) return end_head();

  Field field;
  if (parse_field_line(begin, end, field).piece != Piece::kDone) return fail_with(Errc::kBadPart);
  if (fields_count_ == limits_.part_fields_max) return fail_with(Errc::kPartHeadTooLarge);
  fields_[fields_count_++] = field;
  return std::nullopt;
}

std::optional<MultipartParser::Event> MultipartParser::end_head() noexcept {
  const auto head = read_part_head(std::span{fields_}.first(fields_count_),
                                   memory_.subspan(limits_.part_head_bytes_max));
  if (!head) return fail_with(head.error());
  part_ = *head;
  matched_ = borrowed_ = kLineEndBytes;
  state_ = State::kData;
  return Event::kPart;
}

std::optional<MultipartParser::Event> MultipartParser::read_epilogue(
    std::string_view& bytes) noexcept {
  dropped_ += bytes.size();
  bytes = {};
  if (dropped_ > limits_.epilogue_bytes_max) return fail_with(Errc::kBadForm);
  return std::nullopt;
}

MultipartParser::Event MultipartParser::fail_with(Errc error) noexcept {
  failure_ = error;
  state_ = State::kFailed;
  return Event::kFailed;
}

}  // namespace tercel::http
