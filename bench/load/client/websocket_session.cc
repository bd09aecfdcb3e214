#include "websocket_session.h"

#include <bit>

#include "message.h"
#include "run.h"
#include "tercel/base/base64.h"
#include "tercel/base/sha1.h"
#include "tercel/http/chars.h"
#include "tercel/http/websocket_close.h"

namespace tercel::load {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::uint16_t kSwitchingProtocols = 101;

bool has_option(std::string_view list, std::string_view option) noexcept {
  while (!list.empty()) {
    if (http::equals_ignoring_case(http::next_element(list), option)) return true;
  }
  return false;
}

}  // namespace

WebSocketSession::WebSocketSession(Run& run) noexcept : Session{run}, reader_{run.head_buffer()} {}

void WebSocketSession::reset() noexcept {
  reader_.reset();
  receiver_.reset();
  queue_.clear();
}

void WebSocketSession::on_connected() {
  std::array<std::uint8_t, 16> nonce;
  for (std::uint8_t& byte : nonce) byte = static_cast<std::uint8_t>(run_.random());
  base64_encode(nonce, key_.data());
  send(run_.handshake_text({key_.data(), key_.size()}));
}

void WebSocketSession::on_bytes(std::span<char>& bytes) {
  if (!receiver_ && !read_handshake(bytes)) {
    if (run_.opening()) run_.fail("the server did not accept a WebSocket");
    return close();
  }
  if (!receiver_) return;
  if (!read_frames(bytes)) close();
}

bool WebSocketSession::read_handshake(std::span<char>& bytes) {
  const ResponseReader::Event event = reader_.next(bytes);
  if (event == ResponseReader::Event::kNeedMore) return true;
  if (event != ResponseReader::Event::kHead || !is_accepted()) return false;
  receiver_.emplace(http::Role::kClient, run_.loop().blocks(), queue_, kMessageBytesMax);
  set_ready();
  return true;
}

bool WebSocketSession::is_accepted() const noexcept {
  if (reader_.status() != kSwitchingProtocols) return false;
  std::array<char, 24 + kGuid.size()> text;
  kGuid.copy(std::copy(key_.begin(), key_.end(), text.data()), kGuid.size());
  const auto digest = sha1({text.data(), text.size()});
  std::array<char, base64_chars(kSha1Bytes)> expected_key;
  base64_encode(digest, expected_key.data());
  bool upgrade = false;
  bool connection = false;
  bool accepted = false;
  for (const http::Field& field : reader_.fields()) {
    if (field.name == "upgrade") {
      upgrade = http::equals_ignoring_case(field.value, "websocket");
    } else if (field.name == "connection") {
      connection = connection || has_option(field.value, "upgrade");
    } else if (field.name == "sec-websocket-accept") {
      accepted = field.value == std::string_view{expected_key.data(), expected_key.size()};
    } else if (field.name == "sec-websocket-extensions" || field.name == "sec-websocket-protocol") {
      return false;  // None was offered.
    }
  }
  return upgrade && connection && accepted;
}

bool WebSocketSession::read_frames(std::span<char>& bytes) {
  std::string_view rest{bytes.data(), bytes.size()};
  bytes = {};
  for (;;) {
    switch (receiver_->next(rest)) {
      case http::WebSocketReceiver::Event::kNeedMore:
        return true;
      case http::WebSocketReceiver::Event::kMessage: {
        const http::Message message = queue_.front();
        run_.on_message(*this, message);
        queue_.pop();
        break;
      }
      case http::WebSocketReceiver::Event::kPing:
        send_control(http::Opcode::kPong, receiver_->control());
        break;
      case http::WebSocketReceiver::Event::kPong:
      case http::WebSocketReceiver::Event::kPause:
        break;
      case http::WebSocketReceiver::Event::kClose:
        send_control(http::Opcode::kClose, receiver_->control());
        on_end(true, {});
        return false;
      case http::WebSocketReceiver::Event::kFailed:
        if (asking()) settle_wrong("not frames of a WebSocket");
        return false;
    }
  }
}

void WebSocketSession::send_control(http::Opcode opcode, std::string_view payload) {
  std::array<char, http::WebSocketSender::kControlFrameBytesMax> frame;
  const char* const end = sender_.write_control(frame.data(), opcode, payload, run_.new_mask());
  send({frame.data(), static_cast<std::size_t>(end - frame.data())});
}

void WebSocketSession::send_message(std::string_view bytes) {
  const auto kind = run_.options().binary ? http::MessageKind::kBinary : http::MessageKind::kText;
  const auto frame = sender_.pack(run_.loop().blocks(), kind, bytes, run_.new_mask());
  if (!frame) return run_.fail("memory is exhausted");
  send(frame->bytes());
}

void WebSocketSession::send_request(std::uint64_t number) {
  send_message(run_.message_text(number));
}

void WebSocketSession::leave() {
  if (!receiver_) return;
  std::array<char, http::kControlBytesMax> payload;
  const std::size_t bytes = http::write_close(payload.data(), {http::CloseCode::kNormal, {}});
  send_control(http::Opcode::kClose, {payload.data(), bytes});
}

}  // namespace tercel::load
