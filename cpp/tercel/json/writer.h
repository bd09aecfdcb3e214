// Writes compact JSON into a pooled block, which can leave with the connection's output as it is.
//
//   json::Writer writer{pool};
//   writer.begin_object();
//   writer.key("price");
//   writer.number(19.99);
//   writer.end_object();
//   if (!writer.ok()) return fail(Errc::kNoMemory);
//   const std::size_t bytes = writer.size();
//   queue.push(writer.take(), bytes);
//
// Commas write themselves. Strings are valid UTF-8, which the caller knows; control characters,
// quotes and backslashes are escaped, and nothing else. Doubles are written so short that they are
// read as the same double, and always as what has a point or an exponent: 1.0 stays one that Python
// reads as a float. The nesting of what is begun and ended is the caller's to keep.
//
// Resource: one thread; the pool outlives it. Memory doubles as it grows. When it is exhausted,
// ok() is false, and nothing more is written. Source: RFC 8259. Tested by writer_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "tercel/base/block_pool.h"

namespace tercel::json {

class Writer {
 public:
  static constexpr std::size_t kKeptBytesMax = std::size_t{64} * 1024;

  explicit Writer(BlockPool& pool) noexcept : pool_{pool} {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void begin_object() noexcept { begin('{'); }
  void end_object() noexcept { put('}'); }
  void begin_array() noexcept { begin('['); }
  void end_array() noexcept { put(']'); }
  void key(std::string_view name) noexcept;

  void string(std::string_view text) noexcept;
  void integer(std::int64_t value) noexcept;
  void natural(std::uint64_t value) noexcept;
  // Returns false, and writes nothing, for NaN and infinities, which JSON does not have.
  [[nodiscard]] bool number(double value) noexcept;
  void boolean(bool value) noexcept { raw(value ? "true" : "false"); }
  void null() noexcept { raw("null"); }
  // A value that is JSON already: an integer of any size, or what was encoded before.
  void raw(std::string_view json) noexcept;

  // False once memory was exhausted.
  [[nodiscard]] bool ok() const noexcept { return !failed_; }
  // What was written. Valid until the next write.
  [[nodiscard]] std::string_view view() const noexcept { return {block_.data(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Hands over the block, whose first size() bytes are the text, and begins anew.
  [[nodiscard]] Block take() noexcept;
  // Begins anew, with the same block unless that is larger than kKeptBytesMax.
  void clear() noexcept {
    if (block_.capacity() > kKeptBytesMax) block_ = {};
    size_ = 0;
    failed_ = false;
  }

 private:
  static constexpr std::size_t kFirstBytes = 1024;

  // Room for `bytes` more; null when there is none. Adds what is returned to the text.
  [[nodiscard]] char* room(std::size_t bytes) noexcept {
    if (block_.capacity() - size_ < bytes && !grow(bytes)) return nullptr;
    return block_.data() + size_;
  }
  [[nodiscard]] bool grow(std::size_t bytes) noexcept;
  void put(char c) noexcept;
  void begin(char bracket) noexcept;
  // Writes the comma that is due in front of a value or a key.
  [[nodiscard]] char* separate(char* at) const noexcept;
  void text_and(std::string_view text, std::string_view after) noexcept;
  void advance_to(const char* end) noexcept {
    size_ = static_cast<std::size_t>(end - block_.data());
  }

  BlockPool& pool_;
  Block block_;
  std::size_t size_ = 0;
  bool failed_ = false;
};

}  // namespace tercel::json
