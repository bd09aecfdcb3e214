#include "tercel/json/msgpack_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <span>

#include "tercel/base/base64.h"
#include "tercel/base/utf8.h"

namespace tercel::json {
namespace {

// Of the shortest text of a double, and of ".0" behind it.
constexpr std::size_t kDoubleCharsMax = 32;

struct Token {
  enum class Type : std::uint8_t {
    kNil,
    kFalse,
    kTrue,
    kInteger,
    kUnsigned,
    kFloat,
    kText,
    kBinary,
    kArray,
    kMap
  };
  Type type = Type::kNil;
  std::int64_t integer = 0;
  std::uint64_t natural = 0;  // Also the elements of an array, or the members of a map.
  double real = 0;
  std::string_view text = {};
};

// Cuts the bytes into tokens. After a fault it stays where it is.
class Tokens {
 public:
  explicit Tokens(std::string_view bytes) noexcept
      : at_{bytes.data()}, end_{bytes.data() + bytes.size()} {}

  [[nodiscard]] const char* at() const noexcept { return at_; }
  [[nodiscard]] bool is_at_end() const noexcept { return at_ == end_; }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

  [[nodiscard]] FaultKind next(Token& token) noexcept {
    const char* const begin = at_;
    const FaultKind fault = read(token);
    if (fault != FaultKind::kNone) at_ = begin;
    return fault;
  }

 private:
  [[nodiscard]] FaultKind read(Token& token) noexcept {
    if (is_at_end()) return FaultKind::kTruncated;
    const auto byte = static_cast<std::uint8_t>(*at_++);
    if (byte < 0x80) return integer(token, byte);
    if (byte < 0x90) return container(token, Token::Type::kMap, byte & 0x0f);
    if (byte < 0xa0) return container(token, Token::Type::kArray, byte & 0x0f);
    if (byte < 0xc0) return text(token, Token::Type::kText, byte & 0x1f);
    if (byte >= 0xe0) return integer(token, static_cast<std::int8_t>(byte));
    return read_long(token, byte);
  }

  [[nodiscard]] FaultKind read_long(Token& token, std::uint8_t byte) noexcept {
    switch (byte) {
      case 0xc0:
        token.type = Token::Type::kNil;
        return FaultKind::kNone;
      case 0xc2:
      case 0xc3:
        token.type = byte == 0xc3 ? Token::Type::kTrue : Token::Type::kFalse;
        return FaultKind::kNone;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return sized_text(token, Token::Type::kBinary, std::size_t{1} << (byte - 0xc4));
      case 0xca:
      case 0xcb:
        return real(token, byte == 0xca ? 4 : 8);
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return natural(token, std::size_t{1} << (byte - 0xcc));
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return signed_integer(token, std::size_t{1} << (byte - 0xd0));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return sized_text(token, Token::Type::kText, std::size_t{1} << (byte - 0xd9));
      case 0xdc:
      case 0xdd:
        return sized_container(token, Token::Type::kArray, byte == 0xdc ? 2 : 4);
      case 0xde:
      case 0xdf:
        return sized_container(token, Token::Type::kMap, byte == 0xde ? 2 : 4);
      case 0xc1:
        return FaultKind::kValueExpected;
      default:
        return FaultKind::kExtension;
    }
  }

  // A big-endian number of so many bytes. False: there are fewer.
  [[nodiscard]] bool number(std::size_t size, std::uint64_t& value) noexcept {
    if (left() < size) return false;
    value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = value << 8 | static_cast<std::uint8_t>(*at_++);
    }
    return true;
  }

  [[nodiscard]] static FaultKind integer(Token& token, std::int64_t value) noexcept {
    token.type = Token::Type::kInteger;
    token.integer = value;
    return FaultKind::kNone;
  }
  [[nodiscard]] FaultKind natural(Token& token, std::size_t size) noexcept {
    if (!number(size, token.natural)) return FaultKind::kTruncated;
    if (token.natural <= INT64_MAX) {
      return integer(token, static_cast<std::int64_t>(token.natural));
    }
    token.type = Token::Type::kUnsigned;
    return FaultKind::kNone;
  }
  [[nodiscard]] FaultKind signed_integer(Token& token, std::size_t size) noexcept {
    std::uint64_t bits = 0;
    if (!number(size, bits)) return FaultKind::kTruncated;
    // Its sign is that of the highest byte.
    const auto unused = static_cast<int>(64 - 8 * size);
    return integer(token, static_cast<std::int64_t>(bits << unused) >> unused);
  }
  [[nodiscard]] FaultKind real(Token& token, std::size_t size) noexcept {
    std::uint64_t bits = 0;
    if (!number(size, bits)) return FaultKind::kTruncated;
    token.type = Token::Type::kFloat;
    token.real = size == 4
                     ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)))
                     : std::bit_cast<double>(bits);
    return std::isfinite(token.real) ? FaultKind::kNone : FaultKind::kNotFinite;
  }
  [[nodiscard]] FaultKind text(Token& token, Token::Type type, std::uint64_t size) noexcept {
    if (left() < size) return FaultKind::kTruncated;
    token.type = type;
    token.text = {at_, static_cast<std::size_t>(size)};
    at_ += size;
    return type == Token::Type::kText && !is_utf8(token.text) ? FaultKind::kNotUtf8
                                                              : FaultKind::kNone;
  }
  [[nodiscard]] FaultKind sized_text(Token& token, Token::Type type, std::size_t width) noexcept {
    std::uint64_t size = 0;
    return number(width, size) ? text(token, type, size) : FaultKind::kTruncated;
  }
  [[nodiscard]] FaultKind container(Token& token, Token::Type type, std::uint64_t count) noexcept {
    // Each value takes a byte at least.
    if (left() < (type == Token::Type::kMap ? 2 * count : count)) return FaultKind::kTruncated;
    token.type = type;
    token.natural = count;
    return FaultKind::kNone;
  }
  [[nodiscard]] FaultKind sized_container(Token& token, Token::Type type,
                                          std::size_t width) noexcept {
    std::uint64_t count = 0;
    return number(width, count) ? container(token, type, count) : FaultKind::kTruncated;
  }

  const char* at_;
  const char* end_;
};

// What a document of these bytes takes; up to the first fault.
struct Need {
  std::size_t nodes = 0;
  std::size_t chars = 0;
};

Need need_of(std::string_view bytes) noexcept {
  Need need;
  Tokens tokens{bytes};
  Token token;
  while (!tokens.is_at_end() && tokens.next(token) == FaultKind::kNone) {
    ++need.nodes;
    if (token.type == Token::Type::kBinary) need.chars += base64_chars(token.text.size());
    if (token.type != Token::Type::kFloat) continue;
    ++need.nodes;
    need.chars += kDoubleCharsMax;
  }
  return need;
}

// From tokens to the tape. Its memory is as need_of() says.
class Builder {
 public:
  Builder(std::string_view bytes, Node* nodes, char* chars, DuplicateKeys& duplicates,
          std::uint32_t depth_max, bool refuse_duplicates) noexcept
      : tokens_{bytes},
        nodes_{nodes},
        chars_{chars},
        duplicates_{duplicates},
        depth_max_{depth_max},
        refuse_duplicates_{refuse_duplicates} {}

  [[nodiscard]] FaultKind build() noexcept {
    do {
      fault_at_ = tokens_.at();
      if (const FaultKind fault = value(); fault != FaultKind::kNone) return fault;
      while (depth_ > 0 && left_[depth_ - 1] == 0) {
        if (const FaultKind fault = close(); fault != FaultKind::kNone) return fault;
      }
    } while (depth_ > 0);
    fault_at_ = tokens_.at();
    if (!tokens_.is_at_end()) return FaultKind::kTrailing;
    if (replaced_) static_cast<void>(remove_replaced(nodes_, count_));
    return FaultKind::kNone;
  }
  [[nodiscard]] const char* fault_at() const noexcept { return fault_at_; }

 private:
  // The next scalar, key, or beginning of an array or a map.
  [[nodiscard]] FaultKind value() noexcept {
    Token token;
    if (const FaultKind fault = tokens_.next(token); fault != FaultKind::kNone) return fault;
    const bool is_key =
        depth_ > 0 && nodes_[open_].kind == Kind::kObject && left_[depth_ - 1] % 2 == 0;
    if (is_key && token.type != Token::Type::kText) return FaultKind::kTextKeyExpected;
    if (depth_ > 0) --left_[depth_ - 1];
    switch (token.type) {
      case Token::Type::kNil:
        return scalar({.count = 0, .size = 0, .kind = Kind::kNull, .step = 1, .key_hash = 0});
      case Token::Type::kFalse:
        return scalar({.count = 0, .size = 0, .kind = Kind::kFalse, .step = 1, .key_hash = 0});
      case Token::Type::kTrue:
        return scalar({.count = 0, .size = 0, .kind = Kind::kTrue, .step = 1, .key_hash = 0});
      case Token::Type::kInteger:
        return scalar({.integer = token.integer,
                       .size = 0,
                       .kind = Kind::kInteger,
                       .step = 1,
                       .key_hash = 0});
      case Token::Type::kUnsigned:
        return scalar({.natural = token.natural,
                       .size = 0,
                       .kind = Kind::kUnsigned,
                       .step = 1,
                       .key_hash = 0});
      case Token::Type::kFloat:
        return real(token.real);
      case Token::Type::kText:
        return string(token.text, is_key ? hash_key(token.text) : std::uint16_t{0});
      case Token::Type::kBinary:
        return binary(token.text);
      case Token::Type::kArray:
        return open(Kind::kArray, token.natural, token.natural);
      case Token::Type::kMap:
        return open(Kind::kObject, token.natural, 2 * token.natural);
    }
    return FaultKind::kValueExpected;
  }

  [[nodiscard]] FaultKind scalar(const Node& node) noexcept {
    nodes_[count_++] = node;
    return FaultKind::kNone;
  }
  [[nodiscard]] FaultKind string(std::string_view text, std::uint16_t key_hash) noexcept {
    return scalar({.text = text.data(),
                   .size = static_cast<std::uint32_t>(text.size()),
                   .kind = Kind::kString,
                   .step = 1,
                   .key_hash = key_hash});
  }
  [[nodiscard]] FaultKind binary(std::string_view bytes) noexcept {
    const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const std::string_view text = base64_encode({data, bytes.size()}, chars_);
    chars_ += text.size();
    return string(text, 0);
  }
  [[nodiscard]] FaultKind real(double value) noexcept {
    char* end = std::to_chars(chars_, chars_ + kDoubleCharsMax - 2, value).ptr;
    if (std::none_of(chars_, end, [](char c) { return c == '.' || c == 'e'; })) {
      *end++ = '.';
      *end++ = '0';
    }
    const auto size = static_cast<std::uint32_t>(end - chars_);
    nodes_[count_++] =
        Node{.decimal = value, .size = size, .kind = Kind::kDecimal, .step = 2, .key_hash = 0};
    nodes_[count_++] =
        Node{.text = chars_, .size = size, .kind = Kind::kDecimal, .step = 1, .key_hash = 0};
    chars_ = end;
    return FaultKind::kNone;
  }

  [[nodiscard]] FaultKind open(Kind kind, std::uint64_t count, std::uint64_t values) noexcept {
    if (depth_ == depth_max_) return FaultKind::kTooDeep;
    left_[depth_++] = static_cast<std::uint32_t>(values);
    nodes_[count_] = Node{.count = count, .size = open_, .kind = kind, .step = 0, .key_hash = 0};
    open_ = count_++;
    return FaultKind::kNone;
  }
  [[nodiscard]] FaultKind close() noexcept {
    Node& node = nodes_[open_];
    const std::uint32_t around = node.size;
    node.size = count_ - open_;
    if (node.kind == Kind::kObject) {
      const DuplicateKeys::Answer answer = duplicates_.mark(&node);
      if (answer == DuplicateKeys::Answer::kNoMemory) return FaultKind::kNoMemory;
      if (answer == DuplicateKeys::Answer::kSome) {
        if (refuse_duplicates_) return FaultKind::kDuplicateKey;
        replaced_ = true;
      }
    }
    open_ = around;
    --depth_;
    return FaultKind::kNone;
  }

  Tokens tokens_;
  Node* nodes_;
  char* chars_;
  DuplicateKeys& duplicates_;
  std::uint32_t depth_max_;
  bool refuse_duplicates_;
  bool replaced_ = false;
  std::uint32_t count_ = 0;
  std::uint32_t open_ = 0;  // The innermost open array or map, if depth_ is not 0.
  std::uint32_t depth_ = 0;
  const char* fault_at_ = nullptr;
  std::array<std::uint32_t, ParseOptions::kDepthMax> left_;  // Values that each still has.
};

Errc error_of(FaultKind fault) noexcept {
  if (fault == FaultKind::kNoMemory) return Errc::kNoMemory;
  return fault == FaultKind::kTooLong ? Errc::kBodyTooLarge : Errc::kBadJson;
}

}  // namespace

FaultKind MsgpackReader::fill(std::string_view bytes, Document& document,
                              const ParseOptions& options) noexcept {
  if (bytes.size() > std::min(options.text_bytes_max, StructuralIndex::kTextBytesMax)) {
    return FaultKind::kTooLong;
  }
  if (bytes.empty()) return FaultKind::kEmpty;
  if (options.text == TextPolicy::kCopy) {
    if (!document.copy_.reserve(bytes.size())) return FaultKind::kNoMemory;
    bytes.copy(document.copy_.data(), bytes.size());
    bytes = {document.copy_.data(), bytes.size()};
  }
  const Need need = need_of(bytes);
  if (!document.nodes_.reserve(need.nodes) ||
      (need.chars > 0 && !document.strings_.reserve(need.chars))) {
    return FaultKind::kNoMemory;
  }
  Builder builder{bytes,
                  document.nodes_.data(),
                  document.strings_.data(),
                  duplicates_,
                  std::min(options.depth_max, ParseOptions::kDepthMax),
                  options.duplicates == DuplicatePolicy::kRefuse};
  const FaultKind fault = builder.build();
  document.filled_ = fault == FaultKind::kNone;
  if (!document.filled_) {
    fault_.offset = static_cast<std::size_t>(builder.fault_at() - bytes.data());
  }
  return fault;
}

Result<Value> MsgpackReader::read(std::string_view bytes, Document& document,
                                  const ParseOptions& options) noexcept {
  document.clear();
  fault_ = {};
  fault_.kind = fill(bytes, document, options);
  duplicates_.release_above(Document::kKeptBytesMax);
  if (fault_.kind == FaultKind::kNone) return document.root();
  document.clear();
  return fail(error_of(fault_.kind));
}

}  // namespace tercel::json
