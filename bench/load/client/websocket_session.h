// A WebSocket seen from its client: the handshake checked to the letter, messages told to the run.
//
// A resource, see link.h. Offers no extension. Source: RFC 6455 sections 4.1 and 5.
// Tested by tests/python/test_load_client.py.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "response_reader.h"
#include "session.h"
#include "tercel/http/websocket_queue.h"
#include "tercel/http/websocket_receiver.h"
#include "tercel/http/websocket_sender.h"

namespace tercel::load {

class WebSocketSession final : public Session {
 public:
  explicit WebSocketSession(Run& run) noexcept;
  void leave() override;

  // The message that was received is, or is not, what answers the request under way.
  void accept_answer() { settle_right(); }
  void reject_answer(std::string_view why) { settle_wrong(why); }
  void send_message(std::string_view bytes);

  // Which message comes next, in a broadcast.
  std::uint64_t expected = 0;

 private:
  void send_request(std::uint64_t number) override;
  [[nodiscard]] bool answer_began() const noexcept override {
    return receiver_ && receiver_->in_message();
  }
  void reset() noexcept override;

  void on_connected() override;
  void on_bytes(std::span<char>& bytes) override;

  // False: it failed.
  [[nodiscard]] bool read_handshake(std::span<char>& bytes);
  [[nodiscard]] bool is_accepted() const noexcept;
  [[nodiscard]] bool read_frames(std::span<char>& bytes);
  void send_control(http::Opcode opcode, std::string_view payload);

  ResponseReader reader_;
  std::array<char, 24> key_{};
  http::MessageQueue queue_;
  http::WebSocketSender sender_{http::Role::kClient};
  std::optional<http::WebSocketReceiver> receiver_;  // Once the handshake is over.
};

}  // namespace tercel::load
