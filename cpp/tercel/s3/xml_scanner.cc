#include "tercel/s3/xml_scanner.h"

#include <algorithm>

#include "tercel/http/chars.h"

namespace tercel::s3 {
namespace {

constexpr bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The last three are those of a byte order mark.
constexpr bool is_ignored_outside(char c) noexcept {
  return is_space(c) || c == '\xef' || c == '\xbb' || c == '\xbf';
}

// Every byte of UTF-8 that is not ASCII may be in a name; which characters may is left to readers.
constexpr bool begins_name(char c) noexcept {
  return http::is_upper(c) || http::is_lower(c) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

constexpr auto kInName = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char c = static_cast<char>(i);
    table[i] = begins_name(c) || http::is_digit(c) || c == '-' || c == '.' || c == ':';
  }
  return table;
}();

// The bytes of a name that `text` begins with.
std::string_view first_name(std::string_view text) noexcept {
  std::size_t size = 0;
  while (size < text.size() && kInName[static_cast<unsigned char>(text[size])]) ++size;
  return text.substr(0, size);
}

constexpr std::string_view kCdataName = "CDATA[";

}  // namespace

XmlScanner::Event XmlScanner::next(std::string_view& bytes) noexcept {
  if (leaves_) leave();
  while (!bytes.empty()) {
    if (state_ == State::kText) {
      const std::string_view text = bytes.substr(0, bytes.find('<'));
      if (depth_ == 0 && !std::ranges::all_of(text, is_ignored_outside)) has_text_outside_ = true;
      bytes.remove_prefix(text.size());
      if (bytes.empty()) break;
    } else if (state_ == State::kName || state_ == State::kEndName) {
      const std::string_view part = first_name(bytes);
      if (part.size() > kNameBytesMax - name_bytes_) return fail();
      name_bytes_ += part.copy(name_.data() + name_bytes_, part.size());
      bytes.remove_prefix(part.size());
      if (bytes.empty()) break;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    if (const Event event = step(c); event != Event::kNeedMore) return event;
  }
  return state_ == State::kFailed ? Event::kFailed : Event::kNeedMore;
}

XmlScanner::Event XmlScanner::step(char c) noexcept {
  switch (state_) {
    case State::kText:
      state_ = State::kOpen;
      return Event::kNeedMore;
    case State::kOpen:
      name_bytes_ = 0;
      if (c == '/') {
        state_ = State::kEndName;
      } else if (c == '!' || c == '?') {
        matched_ = 0;
        state_ = c == '!' ? State::kBang : State::kInstruction;
        return Event::kMarkup;
      } else if (begins_name(c)) {
        state_ = State::kName;
        name_[name_bytes_++] = c;
      } else {
        return fail();
      }
      return Event::kNeedMore;
    case State::kName:
    case State::kTag:
    case State::kDoubleQuote:
    case State::kSingleQuote:
    case State::kSlash:
      return in_start_tag(c);
    case State::kEndName:
    case State::kEndTag:
      return in_end_tag(c);
    case State::kBang:
    case State::kDash:
    case State::kCdataName:
    case State::kComment:
    case State::kCdata:
    case State::kInstruction:
      return in_markup(c);
    case State::kFailed:
      break;
  }
  return Event::kFailed;
}

XmlScanner::Event XmlScanner::in_start_tag(char c) noexcept {
  if (state_ == State::kDoubleQuote || state_ == State::kSingleQuote) {
    if (c == '<') return fail();
    if (c == (state_ == State::kDoubleQuote ? '"' : '\'')) state_ = State::kTag;
    return Event::kNeedMore;
  }
  if (state_ == State::kSlash) return c == '>' ? open(Event::kEmpty) : fail();
  if (c == '>') return open(Event::kOpen);
  if (c == '/') {
    state_ = State::kSlash;
  } else if (is_space(c)) {
    state_ = State::kTag;
  } else if (state_ == State::kName || c == '<') {
    return fail();
  } else if (c == '"') {
    state_ = State::kDoubleQuote;
  } else if (c == '\'') {
    state_ = State::kSingleQuote;
  }
  return Event::kNeedMore;
}

XmlScanner::Event XmlScanner::in_end_tag(char c) noexcept {
  if (c == '>') return close();
  if (is_space(c)) {
    state_ = State::kEndTag;
    return Event::kNeedMore;
  }
  return fail();
}

// A document type could define entities, and so say anything: it is refused.
XmlScanner::Event XmlScanner::in_markup(char c) noexcept {
  switch (state_) {
    case State::kBang:
      if (c != '-' && c != '[') return fail();
      state_ = c == '-' ? State::kDash : State::kCdataName;
      return Event::kNeedMore;
    case State::kDash:
      if (c != '-') return fail();
      state_ = State::kComment;
      return Event::kNeedMore;
    case State::kCdataName:
      if (c != kCdataName[matched_]) return fail();
      if (++matched_ == kCdataName.size()) {
        matched_ = 0;
        state_ = State::kCdata;
      }
      return Event::kNeedMore;
    case State::kInstruction:
      if (c == '>' && matched_ == 1) state_ = State::kText;
      matched_ = c == '?' ? 1 : 0;
      return Event::kNeedMore;
    default:
      break;
  }
  const char last = state_ == State::kComment ? '-' : ']';
  if (c == '>' && matched_ == 2) state_ = State::kText;
  matched_ = c == last ? static_cast<std::uint8_t>(std::min(matched_ + 1, 2)) : 0;
  return Event::kNeedMore;
}

std::string_view XmlScanner::name() const noexcept {
  const std::string_view whole{name_.data(), name_bytes_};
  return whole.substr(whole.find(':') + 1);
}

XmlScanner::Event XmlScanner::open(Event event) noexcept {
  if (depth_ == kDepthMax) return fail();
  if (++depth_ <= kPathDepth) {
    if (depth_ > 1) path_[path_bytes_++] = '/';
    path_bytes_ += name().copy(path_.data() + path_bytes_, name().size());
  }
  leaves_ = event == Event::kEmpty;
  state_ = State::kText;
  return event;
}

XmlScanner::Event XmlScanner::close() noexcept {
  if (depth_ == 0) return fail();
  if (depth_ <= kPathDepth && path().substr(path().rfind('/') + 1) != name()) return fail();
  leave();
  state_ = State::kText;
  return Event::kClose;
}

void XmlScanner::leave() noexcept {
  leaves_ = false;
  if (depth_-- > kPathDepth) return;
  const std::size_t slash = path().rfind('/');
  path_bytes_ = slash == std::string_view::npos ? 0 : slash;
}

XmlScanner::Event XmlScanner::fail() noexcept {
  state_ = State::kFailed;
  return Event::kFailed;
}

}  // namespace tercel::s3
