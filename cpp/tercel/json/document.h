// What a text was parsed into: the memory behind its values.
//
// Resource: moves, and its values stay valid. Filled by Parser or MsgpackReader, again and again
// with the same memory. Thread: one at a time writes; any number may read.
#pragma once

#include <cstddef>

#include "tercel/json/node.h"
#include "tercel/json/storage.h"
#include "tercel/json/value.h"

namespace tercel::json {

class Document {
 public:
  // What it keeps when it is cleared, for the next text, is at most this much in each of its three
  // parts.
  static constexpr std::size_t kKeptBytesMax = std::size_t{256} * 1024;

  Document() noexcept = default;
  Document(Document&& other) noexcept
      : nodes_{std::move(other.nodes_)},
        strings_{std::move(other.strings_)},
        copy_{std::move(other.copy_)},
        filled_{std::exchange(other.filled_, false)} {}
  Document& operator=(Document&& other) noexcept {
    nodes_ = std::move(other.nodes_);
    strings_ = std::move(other.strings_);
    copy_ = std::move(other.copy_);
    filled_ = std::exchange(other.filled_, false);
    return *this;
  }

  // True when it holds what was parsed.
  explicit operator bool() const noexcept { return filled_; }
  // REQUIRES: it holds what was parsed.
  [[nodiscard]] Value root() const noexcept { return Value{nodes_.data()}; }

  // Forgets what it holds; its values end. Memory above kKeptBytesMax goes back.
  void clear() noexcept;

  // Memory that it holds.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return nodes_.capacity() * sizeof(Node) + strings_.capacity() + copy_.capacity();
  }

 private:
  friend class MsgpackReader;
  friend class Parser;
  Storage<Node> nodes_;
  Storage<char> strings_;  // Those with escapes, without them.
  Storage<char> copy_;     // Of the text, when it is not borrowed.
  bool filled_ = false;
};

}  // namespace tercel::json
