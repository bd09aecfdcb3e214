// Bytes that the kernel holds on their way from one socket to another: a pipe, into which splice(2)
// moves them out of the one, and out of which into the other, without a copy.
//
//   Pipe pipe = loop.pipes().take();         // net/pipe_pool.h
//   source.read_into(pipe, bytes_left);      // net/stream.h
//   while (pipe.bytes() > 0) sink.write_from(pipe, pipe.bytes());
//
// What a Block is for bytes in memory, a pipe is for those that nobody here looks at. Resource:
// moves, does not copy; goes back to its keeper when destroyed. Thread: the keeper's. This class
// does no I/O: who moves bytes tells it. Tested by pipe_pool_test.cc.
#pragma once

#include <cstddef>
#include <utility>

namespace tercel {

class PipeKeeper {
 public:
  // `bytes` are left in it, and lost.
  virtual void give_back(int read_end, int write_end, std::size_t bytes) noexcept = 0;

 protected:
  ~PipeKeeper() = default;
};

class Pipe {
 public:
  Pipe() noexcept = default;
  Pipe(PipeKeeper& keeper, int read_end, int write_end) noexcept
      : keeper_{&keeper}, read_end_{read_end}, write_end_{write_end} {}
  Pipe(Pipe&& other) noexcept
      : keeper_{std::exchange(other.keeper_, nullptr)},
        bytes_{std::exchange(other.bytes_, 0)},
        read_end_{other.read_end_},
        write_end_{other.write_end_} {}
  Pipe& operator=(Pipe&& other) noexcept {
    if (this != &other) {
      give_back();
      keeper_ = std::exchange(other.keeper_, nullptr);
      bytes_ = std::exchange(other.bytes_, 0);
      read_end_ = other.read_end_;
      write_end_ = other.write_end_;
    }
    return *this;
  }
  ~Pipe() { give_back(); }

  // False: there is none.
  explicit operator bool() const noexcept { return keeper_ != nullptr; }
  [[nodiscard]] int read_end() const noexcept { return read_end_; }
  [[nodiscard]] int write_end() const noexcept { return write_end_; }
  // What is in it.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  // So many were moved into it, and out of it.
  void filled(std::size_t bytes) noexcept { bytes_ += bytes; }
  void drained(std::size_t bytes) noexcept { bytes_ -= bytes; }

 private:
  void give_back() noexcept {
    if (PipeKeeper* const keeper = std::exchange(keeper_, nullptr)) {
      keeper->give_back(read_end_, write_end_, std::exchange(bytes_, 0));
    }
  }

  PipeKeeper* keeper_ = nullptr;
  std::size_t bytes_ = 0;
  int read_end_ = -1;
  int write_end_ = -1;
};

}  // namespace tercel
