// Raw DEFLATE, compressed and decompressed piece by piece: for the WebSocket extension
// permessage-deflate, and for whoever puts a frame of its own around it.
//
//   codec::Inflater inflater;
//   if (auto opened = inflater.open(15); !opened) return fail(opened.error());
//   while (!input.empty()) {
//     const codec::Progress step = inflater.inflate(input, room);
//     ...
//   }
//
// The caller gives the room, so the caller decides how much a few bytes may become. zlib does the
// work; it is loaded when the first stream is opened, or asked for, and not before. Its memory is
// the heap's, made by open() and given back by close(): about 7 KiB and one window to decompress,
// deflate_memory_bytes() to compress. Resources: one owner, one thread at a time.
// Source: RFC 1951 and the manual of zlib. Tested by deflate_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tercel/base/result.h"

namespace tercel::codec {

// Windows are 2^bits bytes. zlib compresses with no smaller one.
inline constexpr int kWindowBitsMin = 9;
inline constexpr int kWindowBitsMax = 15;

// Whether zlib is there. Loads it the first time.
[[nodiscard]] bool deflate_available() noexcept;

// What zlib takes for a stream that compresses, as its configuration says: its hash table is in
// proportion.
constexpr std::size_t deflate_memory_bytes(int window_bits) noexcept {
  return (std::size_t{1} << (window_bits + 2)) + (std::size_t{1} << (window_bits + 2)) +
         std::size_t{6} * 1024;
}

enum class StreamState : std::uint8_t {
  kOk,   // Input is used up, or the room is.
  kBad,  // What was read is not DEFLATE, or zlib is out of memory. Nothing more comes.
};

struct Progress {
  std::size_t read = 0;     // Of the input.
  std::size_t written = 0;  // To the room. As much as there is: there may be more.
  StreamState state = StreamState::kOk;
};

class Deflater {
 public:
  Deflater() noexcept;
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater();

  // `level` 1 (fast) to 9 (small). Fails with kNoMemory, or kSystem when there is no zlib.
  [[nodiscard]] Result<void> open(int level, int window_bits) noexcept;
  [[nodiscard]] bool is_open() const noexcept { return stream_ != nullptr; }
  void close() noexcept;

  // Bytes that `bytes` bytes become at most, its flush included. REQUIRES: is_open().
  [[nodiscard]] std::size_t bound(std::size_t bytes) noexcept;
  // Compresses, and flushes to a byte boundary (00 00 ff ff ends the output). To be called again
  // with what was not read as long as it fills the room. Nothing becomes nothing, if a flush went
  // before it. REQUIRES: is_open().
  [[nodiscard]] Progress deflate(std::string_view input, std::span<char> room) noexcept;

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

class Inflater {
 public:
  Inflater() noexcept;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  // `window_bits`: of the peer that compresses, or more. Fails as Deflater::open().
  [[nodiscard]] Result<void> open(int window_bits) noexcept;
  [[nodiscard]] bool is_open() const noexcept { return stream_ != nullptr; }
  void close() noexcept;

  // Decompresses. A stream that ends (a final block) is followed by the next, with the same window,
  // up to kFinalBlocksMax times between two calls of begin(). REQUIRES: is_open().
  [[nodiscard]] Progress inflate(std::string_view input, std::span<char> room) noexcept;
  // A new message: it may have its final blocks.
  void begin() noexcept { final_blocks_ = 0; }

  // To go on behind a final block is a copy of the window: a peer must not get one for two bytes.
  static constexpr int kFinalBlocksMax = 8;

 private:
  [[nodiscard]] bool restart() noexcept;

  struct Stream;
  std::unique_ptr<Stream> stream_;
  int final_blocks_ = 0;
};

}  // namespace tercel::codec
