// A stream over memory: takes as much as the test allows, fails when the test says so.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <string>

#include "tercel/net/stream.h"

namespace tercel::test {

class MemoryStream final : public net::Stream {
 public:
  net::IoResult read(std::span<char> into) noexcept override {
    if (broken) return {0, net::IoState::kFailed};
    if (arriving.empty()) return {0, ended ? net::IoState::kEnd : net::IoState::kAgain};
    const std::size_t bytes = std::min(into.size(), arriving.size());
    arriving.copy(into.data(), bytes);
    arriving.erase(0, bytes);
    return {bytes, net::IoState::kDone};
  }
  net::IoResult write(std::span<const iovec> pieces) noexcept override {
    ++writes;
    if (broken) return {0, net::IoState::kFailed};
    std::size_t taken = 0;
    for (const iovec& piece : pieces) {
      const std::size_t bytes = std::min(piece.iov_len, room - taken);
      sent.append(static_cast<const char*>(piece.iov_base), bytes);
      taken += bytes;
      if (bytes < piece.iov_len) break;
    }
    return take(taken);
  }
  net::IoResult write_file(int, std::uint64_t offset, std::size_t count) noexcept override {
    ++writes;
    if (broken) return {0, net::IoState::kFailed};
    if (offset >= file.size()) return {0, net::IoState::kEnd};
    const std::size_t bytes = std::min({count, room, file.size() - offset});
    sent.append(file, offset, bytes);
    return take(bytes);
  }
  [[nodiscard]] bool splices() const noexcept override { return pipes; }
  net::IoResult read_into(Pipe& pipe, std::size_t max) noexcept override {
    if (broken) return {0, net::IoState::kFailed};
    if (arriving.empty()) return {0, ended ? net::IoState::kEnd : net::IoState::kAgain};
    const ssize_t bytes =
        ::write(pipe.write_end(), arriving.data(), std::min(max, arriving.size()));
    if (bytes <= 0) return {0, net::IoState::kFailed};
    arriving.erase(0, static_cast<std::size_t>(bytes));
    pipe.filled(static_cast<std::size_t>(bytes));
    return {static_cast<std::size_t>(bytes), net::IoState::kDone};
  }
  net::IoResult write_from(Pipe& pipe, std::size_t max) noexcept override {
    ++writes;
    if (broken) return {0, net::IoState::kFailed};
    std::string bytes(std::min(max, room), '\0');
    if (bytes.empty() ||
        ::read(pipe.read_end(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      return {0, net::IoState::kAgain};
    }
    sent.append(bytes);
    pipe.drained(bytes.size());
    return take(bytes.size());
  }
  void shutdown_write() noexcept override { shut = true; }
  void reset_on_close() noexcept override { reset = true; }
  [[nodiscard]] int descriptor() const noexcept override { return -1; }

  std::string arriving;
  std::string sent;
  std::string file;             // What write_file() sends of.
  std::size_t room = SIZE_MAX;  // Bytes taken until the next kAgain.
  int writes = 0;
  bool pipes = false;  // splices()
  bool ended = false;
  bool broken = false;
  bool shut = false;
  bool reset = false;

 private:
  net::IoResult take(std::size_t bytes) noexcept {
    if (bytes == 0) return {0, net::IoState::kAgain};
    if (room != SIZE_MAX) room -= bytes;
    return {bytes, net::IoState::kDone};
  }
};

}  // namespace tercel::test
