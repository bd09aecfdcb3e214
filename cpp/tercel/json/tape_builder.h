// The second stage of parsing: from the offsets of the tokens to the tape, by JSON's grammar.
//
// Internal to tercel/json. One pass over the offsets, without recursion and without a stack: an
// array or object that is open keeps the index of the one around it where its size will be. The
// memory is the caller's and known beforehand, so nothing is checked for room.
// Source: RFC 8259. Tested by parser_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/json/duplicate_keys.h"
#include "tercel/json/fault.h"
#include "tercel/json/node.h"
#include "tercel/json/storage.h"

namespace tercel::json {

class TapeBuilder {
 public:
  struct Options {
    std::uint32_t depth_max;
    std::uint32_t integer_bytes_max;
    bool refuse_duplicates;
  };

  // Nodes that a text may need: each value is an offset or more, but for a lone decimal.
  [[nodiscard]] static std::size_t nodes_bound(std::size_t offsets) noexcept { return offsets + 1; }

  // `offsets` are those of StructuralIndex for `text`. `nodes` has room for nodes_bound() of them.
  // `strings` becomes as large as the rest of the text when the first string with an escape comes.
  TapeBuilder(std::string_view text, std::span<const std::uint32_t> offsets, Node* nodes,
              Storage<char>& strings, DuplicateKeys& duplicates, Options options) noexcept
      : begin_{text.data()},
        end_{text.data() + text.size()},
        next_{offsets.data()},
        last_{offsets.data() + offsets.size() - 1},
        nodes_{nodes},
        strings_{strings},
        duplicates_{duplicates},
        options_{options} {}

  // False: fault() says why.
  [[nodiscard]] bool build() noexcept;
  [[nodiscard]] const Fault& fault() const noexcept { return fault_; }
  // After build(): nodes that were made.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

 private:
  static constexpr std::uint32_t kNothingOpen = UINT32_MAX;

  // Each returns false after it noted the fault.
  [[nodiscard]] bool value() noexcept;
  [[nodiscard]] bool literal(std::string_view word, Kind kind) noexcept;
  [[nodiscard]] bool number() noexcept;
  [[nodiscard]] bool string(Node& node) noexcept;
  [[nodiscard]] bool key() noexcept;
  [[nodiscard]] bool open(Kind kind) noexcept;
  [[nodiscard]] bool close() noexcept;
  [[nodiscard]] bool element() noexcept;
  [[nodiscard]] bool member() noexcept;
  [[nodiscard]] bool unescaped(const char* first, const char* end, Node& node) noexcept;
  [[nodiscard]] bool end_scalar(const char* at) noexcept;

  [[nodiscard]] bool fail_at(FaultKind kind, const char* at) noexcept {
    fault_ = {.kind = kind, .offset = static_cast<std::size_t>(at - begin_)};
    return false;
  }
  // The token that is next, and the end of the text behind the last one.
  [[nodiscard]] const char* token() const noexcept { return begin_ + *next_; }
  // Its first byte; NUL at the end, which no token begins with.
  [[nodiscard]] char peek() const noexcept { return next_ == last_ ? '\0' : *token(); }

  const char* begin_;
  const char* end_;
  const std::uint32_t* next_;
  const std::uint32_t* last_;  // Its offset is the length of the text.
  Node* nodes_;
  std::uint32_t count_ = 0;
  std::uint32_t open_ = kNothingOpen;  // The innermost open array or object.
  std::uint32_t depth_ = 0;
  bool replaced_ = false;
  char* strings_end_ = nullptr;
  Storage<char>& strings_;
  DuplicateKeys& duplicates_;
  Options options_;
  Fault fault_;
};

}  // namespace tercel::json
