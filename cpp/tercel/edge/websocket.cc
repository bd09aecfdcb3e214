#include "tercel/edge/websocket.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "tercel/edge/websocket_busy.h"
#include "tercel/http/chars.h"
#include "tercel/http/keep.h"

namespace tercel::edge {
namespace {

using http::BodyState;
using http::CloseCode;
using http::Closing;
using http::Final;
using http::Payload;
using Stage = WebSocketStage;
using Event = http::WebSocketReceiver::Event;

constexpr std::chrono::nanoseconds kNever{0};
// What one turn reads of one peer, about: others wait.
constexpr std::size_t kTurnBytes = std::size_t{256} * 1024;
// Messages of one read go into the queue up to here: it had less than kQueueBytes before.
constexpr std::size_t kTakenBytesMax = 2 * WebSocket::kQueueBytes;
// Up to here a message is copied behind its header on the stack; up to kBlockBytes in a block; then
// the header is sent by itself.
constexpr std::size_t kStackBytes = 4096;
constexpr std::size_t kBlockBytes = std::size_t{64} * 1024;

}  // namespace

// What accept() needs of the request, with the offered subprotocols behind it, separated by commas.
struct WebSocket::Offer {
  http::WebSocketHandshake handshake;
  std::size_t subprotocol_bytes = 0;
  [[nodiscard]] char* subprotocols() noexcept { return reinterpret_cast<char*>(this + 1); }
};

WebSocket::WebSocket(net::Loop& loop, const WebSocketOptions& options, http::Exchange& exchange,
                     WebSocketObserver& observer) noexcept
    : loop_{loop},
      options_{options},
      exchange_{&exchange},
      observer_{observer},
      receiver_{http::Role::kServer, loop.blocks(), queue_, options.message_bytes_max} {}

WebSocket::~WebSocket() = default;

// --- the handshake

Result<void> WebSocket::begin(const http::WebSocketHandshake& handshake,
                              const http::Request& request) noexcept {
  std::size_t bytes = 0;
  http::FieldList counted{request.fields, http::kSubprotocolField};
  for (auto name = counted.next(); !name.empty(); name = counted.next()) bytes += name.size() + 1;
  held_ = loop_.blocks().take(sizeof(Offer) + bytes);
  if (!held_) return fail(Errc::kNoMemory);
  auto* const offer = new (held_.data()) Offer{.handshake = handshake, .subprotocol_bytes = bytes};
  char* out = offer->subprotocols();
  http::FieldList list{request.fields, http::kSubprotocolField};
  for (auto name = list.next(); !name.empty(); name = list.next()) {
    out = std::ranges::copy(name, out).out;
    *out++ = ',';
  }
  exchange_->observe(this);
  stage_due_ = after(options_.handshake_timeout);
  arm();
  return {};
}

bool WebSocket::is_offered(std::string_view subprotocol) const noexcept {
  auto& offer = *reinterpret_cast<Offer*>(held_.data());
  std::string_view offered{offer.subprotocols(), offer.subprotocol_bytes};
  while (!offered.empty()) {
    if (http::next_element(offered) == subprotocol) return true;
  }
  return false;
}

Result<void> WebSocket::accept(std::string_view subprotocol,
                               std::vector<http::Field>& fields) noexcept {
  const Busy busy{*this};
  if (stage_ == Stage::kClosed) return fail(Errc::kClosed);
  if (stage_ != Stage::kConnecting) return fail(Errc::kIllegalStep);
  if (!subprotocol.empty() && !is_offered(subprotocol)) return fail(Errc::kBadSubprotocol);
  for (const http::Field& field : fields) {
    for (const std::string_view ours :
         {"sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-protocol"}) {
      if (http::equals_ignoring_case(field.name, ours)) return fail(Errc::kBadResponseField);
    }
  }
  const auto& handshake = reinterpret_cast<Offer*>(held_.data())->handshake;
  if (handshake.has_accept_key) {
    fields.push_back(
        {"sec-websocket-accept", {handshake.accept_key.data(), handshake.accept_key.size()}});
  }
  if (!subprotocol.empty()) fields.push_back({http::kSubprotocolField, subprotocol});
  const std::optional<http::DeflateTerms> deflate = handshake.deflate;
  std::array<char, http::kDeflateAnswerBytesMax> extension;
  if (deflate) {
    fields.push_back(
        {"sec-websocket-extensions", http::write_deflate_answer(extension.data(), *deflate)});
  }
  if (auto started = exchange_->start({.status = 101, .fields = fields}); !started) return started;
  if (deflate) {
    receiver_.set_deflate(*deflate);
    sender_.set_deflate(*deflate, options_.deflate);
  }
  stage_ = Stage::kOpen;
  held_ = Block{};
  stage_due_ = kNever;
  ping_due_ = after(options_.ping_interval);
  if (exchange_ != nullptr) read();
  arm();
  return {};
}

Result<void> WebSocket::deny(const http::Response& response) noexcept {
  const Busy busy{*this};
  if (stage_ == Stage::kClosed) return fail(Errc::kClosed);
  if (stage_ != Stage::kConnecting) return fail(Errc::kIllegalStep);
  if (response.status == 101) return fail(Errc::kBadResponseStatus);
  if (auto started = exchange_->start(response); !started) return started;
  stage_ = Stage::kDenied;
  stage_due_ = kNever;
  held_ = Block{};
  return {};
}

Result<void> WebSocket::write_denial(Payload payload, Final final) noexcept {
  const Busy busy{*this};
  if (stage_ == Stage::kDenied && exchange_ != nullptr) return exchange_->write(payload, final);
  const http::Keep<Payload> keep{payload};
  return fail(stage_ == Stage::kClosed ? Errc::kClosed : Errc::kIllegalStep);
}

void WebSocket::abort(Errc error) noexcept {
  const Busy busy{*this};
  if (exchange_ != nullptr) exchange_->abort(error);
}

// --- reading

bool WebSocket::may_read() const noexcept {
  if (stage_ == Stage::kClosing) return true;
  return stage_ == Stage::kOpen && !failing() && queue_.count() < options_.queue_messages_max &&
         queue_.bytes() < kQueueBytes;
}

void WebSocket::on_body() noexcept {
  const Busy busy{*this};
  read();
  arm();
}

// May be called from within itself, by an observer that takes a message.
void WebSocket::read() noexcept {
  const bool had_news = has_message() || end_;
  std::size_t taken = 0;
  resume_ = false;
  if (rest_ && exchange_ != nullptr && may_read()) take_in_rest();
  while (exchange_ != nullptr && !rest_ && may_read()) {
    if (taken >= kTurnBytes) {
      resume_ = true;
      break;
    }
    const http::BodyRead read = exchange_->read_body();
    if (read.state == BodyState::kPending || read.state == BodyState::kFailed) break;
    pong_due_ = kNever;
    taken += read.bytes.size();
    take_in(read.bytes);
    if (read.state == BodyState::kMore || exchange_ == nullptr) continue;
    set_end({.code = CloseCode::kAbnormal, .reason = {}});
    finish();
  }
  send_pongs();
  if (!had_news && (has_message() || end_)) observer_.on_message();
}

// A peer can have 16 MiB inflated from 16 KiB; the loop has others to serve.
void WebSocket::keep_rest(std::string_view bytes) noexcept {
  if (!rest_) {
    rest_ = loop_.blocks().take(bytes.size());
    if (!rest_) return fail_with({.code = CloseCode::kInternalError, .reason = "out of memory"});
    std::copy(bytes.begin(), bytes.end(), rest_.data() + rest_.capacity() - bytes.size());
  }
  rest_bytes_ = static_cast<std::uint32_t>(bytes.size());
  resume_ = true;
}

void WebSocket::take_in_rest() noexcept {
  const std::string_view bytes{rest_.data() + rest_.capacity() - rest_bytes_, rest_bytes_};
  take_in(bytes);
  if (!resume_) rest_ = {};
}

void WebSocket::take_in(std::string_view bytes) noexcept {
  while (stage_ == Stage::kOpen || stage_ == Stage::kClosing) {
    switch (receiver_.next(bytes)) {
      case Event::kNeedMore:
        return note_progress();
      case Event::kPause:
        note_progress();
        return keep_rest(bytes);
      case Event::kMessage:
        // Only what is inflated is ever so much more than what was read.
        if (bytes.empty() || queue_.bytes() < kTakenBytesMax) break;
        note_progress();
        return keep_rest(bytes);
      case Event::kPong:
        break;
      case Event::kPing:
        keep_pong(receiver_.control());
        break;
      case Event::kClose:
        return on_close_frame(receiver_.control());
      case Event::kFailed:
        send_pongs();
        return fail_with(receiver_.failure());
    }
  }
}

// A message under way has until message_due_; what arrives of it moves that.
void WebSocket::note_progress() noexcept {
  const std::uint64_t bytes = receiver_.message_bytes();
  const std::uint64_t more = bytes - std::exchange(seen_bytes_, bytes);
  if (!receiver_.in_message() || stage_ != Stage::kOpen || options_.message_timeout == kNever) {
    message_due_ = kNever;
    return;
  }
  const Time latest = loop_.now() + options_.message_timeout;
  if (message_due_ == kNever) {
    message_due_ = latest;
  } else if (options_.message_rate > 0) {
    const std::uint64_t milliseconds =
        std::min<std::uint64_t>(more, UINT32_MAX) * 1000 / options_.message_rate;
    message_due_ = std::min(message_due_ + std::chrono::milliseconds{milliseconds}, latest);
  }
}

void WebSocket::keep_pong(std::string_view payload) noexcept {
  if (stage_ != Stage::kOpen) return;
  if (!held_) held_ = loop_.blocks().take(kPongBytes);
  if (!held_) return;  // A pong that is not sent says what is true: there is no room.
  constexpr std::size_t kFrameBytes = http::WebSocketSender::kControlFrameBytesMax;
  if (pong_bytes_ + kFrameBytes > kPongBytes) pong_bytes_ = 0;
  const char* end = sender_.write_control(held_.data() + pong_bytes_, http::Opcode::kPong, payload);
  pong_bytes_ = static_cast<std::uint16_t>(end - held_.data());
}

void WebSocket::send_pongs() noexcept {
  if (pong_bytes_ == 0) return;
  if (stage_ == Stage::kOpen && exchange_ != nullptr) {
    if (!exchange_->writable()) return;
    (void)write(Payload::borrow({held_.data(), pong_bytes_}));
  }
  pong_bytes_ = 0;
  held_ = Block{};
}

void WebSocket::on_close_frame(std::string_view payload) noexcept {
  const http::ParsedClose parsed = http::parse_close(payload);
  if (parsed.verdict != CloseCode::kNormal) {
    const bool bad_text = parsed.verdict == CloseCode::kBadData;
    return fail_with({.code = parsed.verdict,
                      .reason = bad_text ? "the reason is not UTF-8" : "malformed close frame"});
  }
  set_end(parsed.closing);
  if (stage_ == Stage::kClosing) return finish();
  send_pongs();
  stage_ = Stage::kClosed;
  (void)send_close({.code = parsed.closing.code, .reason = {}}, Final::kYes);
}

void WebSocket::pop() noexcept {
  const Busy busy{*this};
  queue_.pop();
  if (exchange_ == nullptr || stage_ != Stage::kOpen || resume_) return;
  // A half of the queue at a time: a peer that is faster than the application is asked once for
  // many messages.
  if (queue_.count() > options_.queue_messages_max / 2 || queue_.bytes() > kQueueBytes / 2) return;
  read();
  arm();
}

void WebSocket::expect_more() noexcept {
  if (!failing() || has_message()) return;
  const Busy busy{*this};
  fail_now(Closing{failing_});
}

// --- writing

Result<void> WebSocket::write(Payload payload) noexcept {
  return exchange_->write(payload, Final::kNo);
}

Result<void> WebSocket::send(http::MessageKind kind, Payload payload) noexcept {
  const Busy busy{*this};
  http::Keep<Payload> keep{payload};
  if (stage_ != Stage::kOpen || exchange_ == nullptr) {
    const bool early = stage_ == Stage::kConnecting || stage_ == Stage::kDenied;
    return fail(early || closed_by_us_ ? Errc::kIllegalStep : Errc::kClosed);
  }
  const std::string_view bytes = payload.bytes;
  std::array<char, http::kFrameHeaderBytesMax + kStackBytes> frame;
  if (sender_.compresses(bytes.size()) ||
      (bytes.size() > kStackBytes && bytes.size() <= kBlockBytes)) {
    auto packed = sender_.pack(loop_.blocks(), kind, bytes);
    if (!packed) return fail(packed.error());
    if (packed->bytes().size() > kStackBytes) return write(packed->to_payload());
    return write(Payload::borrow(packed->bytes()));
  }
  char* const end = sender_.write_header(frame.data(), kind, bytes.size());
  if (bytes.size() <= kStackBytes) {
    return write(Payload::borrow({frame.data(), std::ranges::copy(bytes, end).out}));
  }
  if (auto sent = write(Payload::borrow({frame.data(), end})); !sent) return sent;
  if (exchange_ == nullptr) return fail(Errc::kClosed);
  return write(keep.pass_on());
}

Result<void> WebSocket::write_control(http::Opcode opcode, std::string_view payload,
                                      Final final) noexcept {
  std::array<char, http::WebSocketSender::kControlFrameBytesMax> frame;
  const char* end = sender_.write_control(frame.data(), opcode, payload);
  return exchange_->write(Payload::borrow({frame.data(), end}), final);
}

void WebSocket::on_writable() noexcept {
  const Busy busy{*this};
  send_pongs();
  observer_.on_writable();
}

// --- the end

Result<void> WebSocket::send_close(const Closing& closing, Final final) noexcept {
  std::array<char, http::kControlBytesMax> payload;
  const std::size_t bytes = http::write_close(payload.data(), closing);
  return write_control(http::Opcode::kClose, {payload.data(), bytes}, final);
}

Result<void> WebSocket::close(const Closing& closing) noexcept {
  const Busy busy{*this};
  if (stage_ != Stage::kOpen || exchange_ == nullptr) {
    const bool early = stage_ == Stage::kConnecting || stage_ == Stage::kDenied;
    return fail(early || closed_by_us_ ? Errc::kIllegalStep : Errc::kClosed);
  }
  closed_by_us_ = true;
  queue_.clear();
  const Closing fitting{.code = closing.code, .reason = http::fitting_reason(closing.reason)};
  // Of a peer that broke a rule nothing more is read.
  const Final final = failing() ? Final::kYes : Final::kNo;
  if (failing()) {
    set_end(Closing{failing_});
    stage_ = Stage::kClosed;
  }
  if (auto sent = send_close(fitting, final); !sent) return sent;
  if (final == Final::kNo) wait_for_peer();
  return {};
}

// Our close frame is on its way; the peer's is due.
void WebSocket::wait_for_peer() noexcept {
  stage_ = Stage::kClosing;
  receiver_.discard_messages();
  sender_.finish();
  message_due_ = ping_due_ = pong_due_ = kNever;
  stage_due_ = after(options_.close_timeout);
  if (exchange_ != nullptr) read();
  arm();
}

void WebSocket::set_end(const Closing& closing) noexcept {
  if (end_) return;
  end_ = Closing{.code = closing.code, .reason = {}};
  if (closing.reason.empty()) return;
  reason_ = loop_.blocks().take(closing.reason.size());
  if (!reason_) return;  // The code says enough.
  std::ranges::copy(closing.reason, reason_.data());
  end_->reason = {reason_.data(), closing.reason.size()};
}

// The peer broke a rule, or a limit. Reasons are literals here.
void WebSocket::fail_with(const Closing& closing) noexcept {
  if (stage_ != Stage::kOpen || !has_message()) return fail_now(closing);
  if (failing()) return;
  failing_ = closing;
  message_due_ = kNever;
  stage_due_ = after(options_.close_timeout);
}

void WebSocket::fail_now(const Closing& closing) noexcept {
  failing_ = {};
  set_end(closing);
  if (stage_ == Stage::kClosing) return finish();
  stage_ = Stage::kClosed;
  (void)send_close(closing, Final::kYes);
}

// Both have said what there was to say.
void WebSocket::finish() noexcept {
  stage_ = Stage::kClosed;
  if (exchange_ != nullptr) (void)exchange_->write(Payload::borrow({}), Final::kYes);
}

void WebSocket::on_notice(http::Notice notice) noexcept {
  const Busy busy{*this};
  const bool had_news = has_message() || end_;
  if (notice == http::Notice::kInputClosed) {
    // Who closed its direction will not speak WebSocket; an open one notices by reading.
    if (stage_ == Stage::kConnecting) exchange_->abort(Errc::kClosed);
    return;
  }
  const Closing restart{.code = CloseCode::kServiceRestart, .reason = "the server is restarting"};
  if (stage_ == Stage::kConnecting) {
    set_end(restart);
    exchange_->abort(Errc::kDraining);
  } else if (stage_ == Stage::kOpen) {
    set_end(restart);
    if (send_close(restart, Final::kNo) && exchange_ != nullptr) wait_for_peer();
  }
  if (!had_news && end_) observer_.on_message();
}

void WebSocket::on_end(http::Outcome /*outcome*/) noexcept {
  const Busy busy{*this};
  const bool had_news = has_message() || end_;
  observer_.on_exchange_end(*exchange_);
  exchange_ = nullptr;
  stage_ = Stage::kClosed;
  set_end({.code = CloseCode::kAbnormal, .reason = {}});
  stage_due_ = message_due_ = ping_due_ = pong_due_ = kNever;
  resume_ = false;
  rest_ = Block{};
  cancel_deferred();
  pong_bytes_ = 0;
  failing_ = {};
  loop_.timers().cancel(*this);
  held_ = Block{};
  receiver_.discard_messages();
  sender_.finish();
  over_ = true;
  if (!had_news) observer_.on_message();
  observer_.on_writable();
}

}  // namespace tercel::edge
