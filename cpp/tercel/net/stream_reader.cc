#include "tercel/net/stream_reader.h"

#include <algorithm>
#include <span>
#include <utility>

namespace tercel::net {

std::size_t StreamReader::fill(Stream& stream, InputBuffer& input, InputBuffer::Borrow borrow,
                               std::size_t max) noexcept {
  --reads_left_;
  std::span<char> room = input.room(borrow);
  if (room.empty()) {
    end_ = InputEnd::kNoMemory;
    return 0;
  }
  room = room.first(std::min(room.size(), max));
  const IoResult result = stream.read(room);
  switch (result.state) {
    case IoState::kDone:
      input.add(result.bytes);
      // A short read drained the socket; only an end that was announced is still to be read.
      readable_ = result.bytes == room.size() || fin_seen_;
      return result.bytes;
    case IoState::kAgain:
      readable_ = false;
      return 0;
    case IoState::kEnd:
      input.add(result.bytes);
      readable_ = false;
      end_ = InputEnd::kEnded;
      return result.bytes;
    case IoState::kFailed:
    case IoState::kRefused:
      end_ = InputEnd::kBroken;
      return 0;
  }
  return 0;
}

std::size_t StreamReader::fill(Stream& stream, PipePool& pipes, Pipe& pipe,
                               std::size_t max) noexcept {
  Pipe taken = pipes.take();
  if (!taken) return 0;
  --reads_left_;
  const IoResult result = stream.read_into(taken, std::min(max, PipePool::kPipeBytes));
  switch (result.state) {
    case IoState::kDone:
      pipe = std::move(taken);
      filled_pipes_ = true;
      return result.bytes;
    case IoState::kAgain:
      readable_ = false;
      return 0;
    case IoState::kEnd:
      readable_ = false;
      end_ = InputEnd::kEnded;
      return 0;
    case IoState::kFailed:
      end_ = InputEnd::kBroken;
      return 0;
    case IoState::kRefused:
      pipes.give_up();
      return 0;
  }
  return 0;
}

}  // namespace tercel::net
