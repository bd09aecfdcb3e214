#include "tercel/codec/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include "tercel/base/shared_library.h"

namespace tercel::codec {
namespace {

// The functions of zlib, found at run time: a server that compresses nothing does not map it.
struct Zlib {
  decltype(&::deflateInit2_) deflate_init = nullptr;
  decltype(&::deflate) deflate = nullptr;
  decltype(&::deflateBound) deflate_bound = nullptr;
  decltype(&::deflateEnd) deflate_end = nullptr;
  decltype(&::inflateInit2_) inflate_init = nullptr;
  decltype(&::inflate) inflate = nullptr;
  decltype(&::inflateReset) inflate_reset = nullptr;
  decltype(&::inflateGetDictionary) inflate_get_dictionary = nullptr;
  decltype(&::inflateSetDictionary) inflate_set_dictionary = nullptr;
  decltype(&::inflateEnd) inflate_end = nullptr;
  bool complete = false;
};

Zlib load() noexcept {
  Zlib zlib;
  const SharedLibrary library{"libz.so.1"};
  zlib.complete =
      library.find("deflateInit2_", zlib.deflate_init) && library.find("deflate", zlib.deflate) &&
      library.find("deflateBound", zlib.deflate_bound) &&
      library.find("deflateEnd", zlib.deflate_end) &&
      library.find("inflateInit2_", zlib.inflate_init) && library.find("inflate", zlib.inflate) &&
      library.find("inflateReset", zlib.inflate_reset) &&
      library.find("inflateGetDictionary", zlib.inflate_get_dictionary) &&
      library.find("inflateSetDictionary", zlib.inflate_set_dictionary) &&
      library.find("inflateEnd", zlib.inflate_end);
  return zlib;
}

const Zlib& zlib() noexcept {
  static const Zlib loaded = load();
  return loaded;
}

// zlib counts in 32 bits.
template <typename Bytes>
uInt clamped(Bytes bytes) noexcept {
  return static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<uInt>::max()));
}

// Gives a stream its input and its room, and returns what became of them.
template <typename Step>
Progress run(z_stream& stream, std::string_view input, std::span<char> room, Step step) noexcept {
  const uInt in = clamped(input.size());
  const uInt out = clamped(room.size());
  // zlib reads its input and does not write to it, whatever the type says.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));  // NOLINT
  stream.avail_in = in;
  stream.next_out = reinterpret_cast<Bytef*>(room.data());
  stream.avail_out = out;
  const StreamState state = step(stream);
  return {.read = in - stream.avail_in, .written = out - stream.avail_out, .state = state};
}

Result<void> opened(int status) noexcept {
  if (status == Z_OK) return {};
  return fail(status == Z_MEM_ERROR ? Errc::kNoMemory : Errc::kSystem);
}

}  // namespace

bool deflate_available() noexcept {
  return zlib().complete;
}

// --- Deflater

struct Deflater::Stream {
  z_stream z{};
  bool open = false;
  ~Stream() {
    // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it was found, or nothing is open.
    if (open) zlib().deflate_end(&z);
  }
};

Deflater::Deflater() noexcept = default;
Deflater::~Deflater() = default;

void Deflater::close() noexcept {
  stream_.reset();
}

Result<void> Deflater::open(int level, int window_bits) noexcept {
  if (!zlib().complete) return fail(Errc::kSystem);
  std::unique_ptr<Stream> stream{new (std::nothrow) Stream};
  if (!stream) return fail(Errc::kNoMemory);
  // As large as the window is: deflate_memory_bytes().
  const int memory_level = std::max(1, window_bits - 7);
  const int status =
      zlib().deflate_init(&stream->z, level, Z_DEFLATED, -window_bits, memory_level,
                          Z_DEFAULT_STRATEGY, ZLIB_VERSION, static_cast<int>(sizeof(z_stream)));
  if (status != Z_OK) return opened(status);
  stream->open = true;
  stream_ = std::move(stream);
  return {};
}

std::size_t Deflater::bound(std::size_t bytes) noexcept {
  constexpr std::size_t kFlushBytes = 16;
  // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it was found, or nothing is open.
  return zlib().deflate_bound(&stream_->z, static_cast<uLong>(bytes)) + kFlushBytes;
}

Progress Deflater::deflate(std::string_view input, std::span<char> room) noexcept {
  return run(stream_->z, input, room, [](z_stream& stream) noexcept {
    // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it was found, or nothing is open.
    const int status = zlib().deflate(&stream, Z_SYNC_FLUSH);
    return status == Z_OK || status == Z_BUF_ERROR ? StreamState::kOk : StreamState::kBad;
  });
}

// --- Inflater

struct Inflater::Stream {
  z_stream z{};
  bool open = false;
  ~Stream() {
    // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it was found, or nothing is open.
    if (open) zlib().inflate_end(&z);
  }
};

Inflater::Inflater() noexcept = default;
Inflater::~Inflater() = default;

void Inflater::close() noexcept {
  stream_.reset();
}

Result<void> Inflater::open(int window_bits) noexcept {
  if (!zlib().complete) return fail(Errc::kSystem);
  std::unique_ptr<Stream> stream{new (std::nothrow) Stream};
  if (!stream) return fail(Errc::kNoMemory);
  const int status = zlib().inflate_init(&stream->z, -window_bits, ZLIB_VERSION,
                                         static_cast<int>(sizeof(z_stream)));
  if (status != Z_OK) return opened(status);
  stream->open = true;
  stream_ = std::move(stream);
  final_blocks_ = 0;
  return {};
}

bool Inflater::restart() noexcept {
  if (++final_blocks_ > kFinalBlocksMax) return false;
  constexpr std::size_t kWindowBytes = std::size_t{1} << kWindowBitsMax;
  const std::unique_ptr<Bytef[]> window{new (std::nothrow) Bytef[kWindowBytes]};
  uInt bytes = 0;
  z_stream& stream = stream_->z;
  return window != nullptr &&
         zlib().inflate_get_dictionary(&stream, window.get(), &bytes) == Z_OK &&
         zlib().inflate_reset(&stream) == Z_OK &&
         zlib().inflate_set_dictionary(&stream, window.get(), bytes) == Z_OK;
}

Progress Inflater::inflate(std::string_view input, std::span<char> room) noexcept {
  return run(stream_->z, input, room, [this](z_stream& stream) noexcept {
    for (;;) {
      // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it was found, or nothing is open.
      const int status = zlib().inflate(&stream, Z_SYNC_FLUSH);
      if (status == Z_OK || status == Z_BUF_ERROR) return StreamState::kOk;
      if (status != Z_STREAM_END || !restart()) return StreamState::kBad;
      if (stream.avail_in == 0 || stream.avail_out == 0) return StreamState::kOk;
    }
  });
}

}  // namespace tercel::codec
