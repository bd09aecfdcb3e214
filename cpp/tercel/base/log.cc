#include "tercel/base/log.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>

#include "tercel/base/assert.h"

namespace tercel {
namespace {

constinit std::atomic<LogSink*> installed_sink{nullptr};

constexpr std::string_view kCutMark = "...";

// One writev(), so that lines of several threads do not mix. A failure has nowhere to be reported.
void write_to_standard_error(LogLevel level, std::string_view text) noexcept {
  std::string_view prefix = level == LogLevel::kError ? "tercel: error: " : "tercel: warning: ";
  std::string_view end = "\n";
  const auto piece = [](std::string_view bytes) {
    return iovec{const_cast<char*>(bytes.data()), bytes.size()};  // writev() only reads it.
  };
  const std::array pieces{piece(prefix), piece(text), piece(end)};
  [[maybe_unused]] const ssize_t written =
      ::writev(STDERR_FILENO, pieces.data(), static_cast<int>(pieces.size()));
}

bool plain(char byte) noexcept {
  return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
}

}  // namespace

LogSink* set_log_sink(LogSink* sink) noexcept {
  return installed_sink.exchange(sink, std::memory_order_acq_rel);
}

void log(LogLevel level, std::string_view text) noexcept {
  if (LogSink* sink = installed_sink.load(std::memory_order_acquire)) {
    sink->log(level, text);
  } else if (level >= LogLevel::kWarning) {
    write_to_standard_error(level, text);
  }
}

std::string_view escape_for_log(std::string_view bytes, std::span<char> into) noexcept {
  TERCEL_ASSERT(into.size() >= kCutMark.size());
  constexpr char kHex[] = "0123456789abcdef";
  std::size_t size = 0;
  std::size_t cut = 0;  // Where the mark goes if not everything fits: behind a whole byte.
  for (const char byte : bytes) {
    const std::size_t need = plain(byte) ? 1 : 4;
    if (size + need > into.size()) {
      std::memcpy(&into[cut], kCutMark.data(), kCutMark.size());
      return {into.data(), cut + kCutMark.size()};
    }
    if (need == 1) {
      into[size] = byte;
    } else {
      const auto value = static_cast<unsigned char>(byte);
      const char escaped[] = {'\\', 'x', kHex[value >> 4], kHex[value & 15]};
      std::memcpy(&into[size], escaped, sizeof escaped);
    }
    size += need;
    if (size + kCutMark.size() <= into.size()) cut = size;
  }
  return {into.data(), size};
}

}  // namespace tercel
