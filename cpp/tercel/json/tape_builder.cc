#include "tercel/json/tape_builder.h"

#include "tercel/json/number_scan.h"
#include "tercel/json/string_scan.h"

namespace tercel::json {
namespace {

bool is_space(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

bool TapeBuilder::build() noexcept {
  if (!value()) return false;
  while (open_ != kNothingOpen) {
    if (nodes_[open_].kind == Kind::kArray ? !element() : !member()) return false;
  }
  if (next_ != last_) return fail_at(FaultKind::kTrailing, token());
  if (replaced_) count_ = static_cast<std::uint32_t>(remove_replaced(nodes_, count_));
  return true;
}

// What follows a value in an array.
bool TapeBuilder::element() noexcept {
  const char c = peek();
  if (c == ',') {
    ++next_;
    return value();
  }
  return c == ']' ? close() : fail_at(FaultKind::kCommaOrBracketExpected, token());
}

// What follows a value in an object.
bool TapeBuilder::member() noexcept {
  const char c = peek();
  if (c == ',') {
    ++next_;
    return key() && value();
  }
  return c == '}' ? close() : fail_at(FaultKind::kCommaOrBraceExpected, token());
}

// A whole scalar or an empty array or object; of one that is not empty, the beginning up to its
// first scalar.
bool TapeBuilder::value() noexcept {
  for (;;) {
    if (open_ != kNothingOpen) ++nodes_[open_].count;
    switch (peek()) {
      case '"': {
        Node& node = nodes_[count_++];
        return string(node);
      }
      case '[':
        if (!open(Kind::kArray)) return false;
        if (peek() == ']') return close();
        continue;
      case '{':
        if (!open(Kind::kObject)) return false;
        if (peek() == '}') return close();
        if (!key()) return false;
        continue;
      case 't':
        return literal("true", Kind::kTrue);
      case 'f':
        return literal("false", Kind::kFalse);
      case 'n':
        return literal("null", Kind::kNull);
      case '-':
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9':
        return number();
      default:
        return fail_at(FaultKind::kValueExpected, token());
    }
  }
}

bool TapeBuilder::open(Kind kind) noexcept {
  if (depth_ == options_.depth_max) return fail_at(FaultKind::kTooDeep, token());
  ++depth_;
  ++next_;
  nodes_[count_] = Node{.count = 0, .size = open_, .kind = kind, .step = 0, .key_hash = 0};
  open_ = count_++;
  return true;
}

bool TapeBuilder::close() noexcept {
  Node& node = nodes_[open_];
  const std::uint32_t around = node.size;
  node.size = count_ - open_;
  if (node.kind == Kind::kObject) {
    const DuplicateKeys::Answer answer = duplicates_.mark(&node);
    if (answer == DuplicateKeys::Answer::kNoMemory) return fail_at(FaultKind::kNoMemory, token());
    if (answer == DuplicateKeys::Answer::kSome) {
      if (options_.refuse_duplicates) return fail_at(FaultKind::kDuplicateKey, token());
      replaced_ = true;
    }
  }
  open_ = around;
  --depth_;
  ++next_;
  return true;
}

// The key of a member and the colon behind it.
bool TapeBuilder::key() noexcept {
  if (peek() != '"') return fail_at(FaultKind::kKeyExpected, token());
  Node& node = nodes_[count_++];
  if (!string(node)) return false;
  node.key_hash = hash_key({node.text, node.size});
  if (peek() != ':') return fail_at(FaultKind::kColonExpected, token());
  ++next_;
  return true;
}

bool TapeBuilder::string(Node& node) noexcept {
  const char* const first = token() + 1;
  ++next_;
  // The quote that ends it comes before the next token: the first stage saw to that.
  const char* const mark = scan::find<StringMark>(first, token());
  if (mark != end_ && *mark == '\\') return unescaped(first, token(), node);
  node = Node{.text = first,
              .size = static_cast<std::uint32_t>(mark - first),
              .kind = Kind::kString,
              .step = 1,
              .key_hash = 0};
  return true;
}

bool TapeBuilder::unescaped(const char* first, const char* end, Node& node) noexcept {
  if (strings_end_ == nullptr) {
    if (!strings_.reserve(static_cast<std::size_t>(end_ - first))) {
      return fail_at(FaultKind::kNoMemory, first);
    }
    strings_end_ = strings_.data();
  }
  const Unescaped result = unescape(first, end, strings_end_);
  if (result.fault != FaultKind::kNone) return fail_at(result.fault, result.at);
  node = Node{.text = strings_end_,
              .size = static_cast<std::uint32_t>(result.out_end - strings_end_),
              .kind = Kind::kString,
              .step = 1,
              .key_hash = 0};
  strings_end_ = result.out_end;
  return true;
}

// A token reaches to the next one, and no further than its own bytes but for blanks.
bool TapeBuilder::end_scalar(const char* at) noexcept {
  ++next_;
  return at == token() || is_space(*at);
}

bool TapeBuilder::literal(std::string_view word, Kind kind) noexcept {
  const char* const at = token();
  const auto left = static_cast<std::size_t>(end_ - at);
  if (left < word.size() || std::string_view{at, word.size()} != word ||
      !end_scalar(at + word.size())) {
    return fail_at(FaultKind::kValueExpected, at);
  }
  nodes_[count_++] = Node{.count = 0, .size = 0, .kind = kind, .step = 1, .key_hash = 0};
  return true;
}

bool TapeBuilder::number() noexcept {
  const char* const at = token();
  Node& node = nodes_[count_];
  node.key_hash = 0;
  const ScannedNumber scanned = scan_number(at, end_, &node);
  if (scanned.fault != FaultKind::kNone) return fail_at(scanned.fault, at);
  if (!end_scalar(scanned.at)) return fail_at(FaultKind::kBadNumber, at);
  if (node.kind == Kind::kBigInteger && node.size > options_.integer_bytes_max) {
    return fail_at(FaultKind::kLongInteger, at);
  }
  count_ += node.step;
  return true;
}

}  // namespace tercel::json
