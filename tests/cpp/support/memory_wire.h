// A wire over memory: a test pushes what the peer sends and reads what the session answers.
//
// It has no loop: run() stands for a turn. Input that is not consumed stays, as on a connection.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "tercel/base/block_pool.h"
#include "tercel/http/wire.h"

namespace tercel::test {

class MemoryWire : public http::Wire {
 public:
  MemoryWire() = default;
  virtual ~MemoryWire() = default;

  // --- the peer's side
  void receive(std::string_view bytes) {
    arriving_.append(bytes);
    run();
  }
  void end_input() {
    ending_ = true;
    run();
  }
  // One turn: the session sees the input, and once more whenever it asked for it.
  void run() {
    do {
      revisit_ = false;
      ++steps_;
      session->on_input();
      --steps_;
    } while (revisit_);
  }
  // Room for what a test sends, so that allocations are those of the session.
  void reserve(std::size_t bytes) {
    arriving_.reserve(bytes);
    unread_.reserve(bytes);
  }
  // A new connection.
  void forget() {
    arriving_.clear();
    unread_.clear();
    sent.clear();
    consumed_ = 0;
    closed = was_reset = ending_ = revisit_ = false;
  }
  // The session, or somebody in its name, asked for another look.
  [[nodiscard]] bool revisit_wanted() const { return revisit_; }
  [[nodiscard]] std::string take_sent() { return std::exchange(sent, {}); }

  http::Session* session = nullptr;
  std::string sent;        // What the session sent, files as "<file:OFFSET+COUNT>".
  std::size_t unsent = 0;  // What the socket would not take, for back-pressure.
  // Parts of responses that were to leave at once.
  struct Pushed {
    int part = 0;
    int last = 0;
    bool operator==(const Pushed&) const = default;
  } pushed;
  bool under_pressure = false;
  bool closed = false;  // close_after_send()
  bool was_reset = false;
  http::Phase phase = http::Phase::kIdle;
  http::Endpoints ends;
  std::chrono::nanoseconds time{0};
  std::size_t arrival_bytes = SIZE_MAX;  // How much one read brings, at most.
  std::function<Pipe()> pipes;           // Where it has them from; null: it takes none.
  std::size_t piped_in = 0;              // Bytes that came and left in them.
  std::size_t piped_out = 0;

  // --- http::Wire
  http::Input input() noexcept override {
    if (unread_.empty()) return more_input();
    return view();
  }
  http::Input more_input() noexcept override {
    const std::size_t part = std::min(arrival_bytes, arriving_.size());
    unread_.append(arriving_, 0, part);
    arriving_.erase(0, part);
    return view();
  }
  void consume(std::size_t bytes) noexcept override {
    // Views into what was consumed stay valid until the next call.
    consumed_ += bytes;
  }
  void gather() noexcept override {}
  void send(Block block, std::size_t bytes) noexcept override { sent.append(block.data(), bytes); }
  void send(const http::Payload& payload) noexcept override {
    sent.append(payload.bytes);
    if (payload.release != nullptr) payload.release(payload.owner);
  }
  void send_file(const http::FileRange& range) noexcept override {
    sent.append("<file:" + std::to_string(range.offset) + "+" + std::to_string(range.count) + ">");
    if (range.release != nullptr) range.release(range.owner);
  }
  std::size_t input_into(Pipe& pipe, std::size_t max) noexcept override {
    unread_.erase(0, std::exchange(consumed_, 0));
    if (!pipes || !unread_.empty() || arriving_.empty()) return 0;
    Pipe taken = pipes();
    if (!taken) return 0;
    const ssize_t bytes = ::write(taken.write_end(), arriving_.data(),
                                  std::min({max, arriving_.size(), arrival_bytes}));
    if (bytes <= 0) return 0;
    arriving_.erase(0, static_cast<std::size_t>(bytes));
    taken.filled(static_cast<std::size_t>(bytes));
    piped_in += static_cast<std::size_t>(bytes);
    pipe = std::move(taken);
    return static_cast<std::size_t>(bytes);
  }
  void send_pipe(Pipe pipe, std::size_t bytes) noexcept override {
    std::string text(bytes, '\0');
    const ssize_t got = ::read(pipe.read_end(), text.data(), bytes);
    sent.append(text, 0, got > 0 ? static_cast<std::size_t>(got) : 0);
    pipe.drained(got > 0 ? static_cast<std::size_t>(got) : 0);
    piped_out += bytes;
  }
  [[nodiscard]] bool takes_pipes() const noexcept override { return pipes != nullptr; }
  void push(http::Final final) noexcept override {
    ++(final == http::Final::kYes ? pushed.last : pushed.part);
  }
  [[nodiscard]] std::size_t unsent_bytes() const noexcept override { return unsent; }
  [[nodiscard]] bool pressed() const noexcept override { return under_pressure; }
  void enter(http::Phase entered) noexcept override {
    phase = entered;
    if (entered == http::Phase::kIdle && steps_ == 0) revisit_ = true;
  }
  void revisit() noexcept override { revisit_ = true; }
  void close_after_send() noexcept override { closed = true; }
  void reset() noexcept override { was_reset = true; }
  [[nodiscard]] const http::Endpoints& endpoints() const noexcept override { return ends; }
  [[nodiscard]] BlockPool& blocks() noexcept override { return blocks_; }
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override { return time; }
  [[nodiscard]] std::chrono::seconds unix_time() const noexcept override {
    return std::chrono::seconds{784111777};  // Sun, 06 Nov 1994 08:49:37 GMT
  }

 private:
  http::Input view() noexcept {
    unread_.erase(0, std::exchange(consumed_, 0));
    if (unread_.empty() && !arriving_.empty()) {
      const std::size_t part = std::min(arrival_bytes, arriving_.size());
      unread_.append(arriving_, 0, part);
      arriving_.erase(0, part);
    }
    const bool ended = ending_ && arriving_.empty();
    return {.bytes = {unread_.data(), unread_.size()},
            .state = ended ? http::InputState::kEnded : http::InputState::kOpen};
  }

  BlockPool blocks_;
  std::string arriving_;
  std::string unread_;
  std::size_t consumed_ = 0;
  int steps_ = 0;
  bool ending_ = false;
  bool revisit_ = false;
};

}  // namespace tercel::test
