// Invariants: any offer is answered within the bound, by terms that both halves can work with; what
// a sender packs under them, a receiver unpacks; any bytes as compressed data end, within the
// limit.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/websocket_input.h"
#include "tercel/http/websocket_deflate.h"
#include "tercel/http/websocket_sender.h"

namespace {

using namespace tercel;
using namespace tercel::http;

void send_and_receive(const DeflateTerms& terms, std::string_view text) {
  for (const Role role : {Role::kServer, Role::kClient}) {
    BlockPool pool;
    WebSocketSender sender{role};
    sender.set_deflate(terms, {.bytes_min = 0});
    std::string sent;
    std::string expected;
    for (int i = 0; i < 2; ++i) {
      const auto frame = sender.pack(pool, MessageKind::kBinary, text, {'m', 'a', 's', 'k'});
      if (!frame) __builtin_trap();
      sent += frame->bytes();
      expected += "binary \"" + std::string{text} + "\"\n";
    }
    const ReceiveOptions peer{.role = role == Role::kServer ? Role::kClient : Role::kServer,
                              .deflate = true,
                              .terms = terms};
    if (receive_in_steps(sent, 1 + text.size() / 3, peer) != expected) __builtin_trap();
  }
}

}  // namespace

// Up to the first zero byte: an offer. Behind it: a message, and compressed bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const std::size_t cut = input.find('\0');
  const std::string_view offer = input.substr(0, cut);
  const std::string_view text = cut == std::string_view::npos ? "" : input.substr(cut + 1);

  const std::array<Field, 1> fields{{{"sec-websocket-extensions", offer}}};
  const auto terms = agree_on_deflate(fields, {.window_bits = 12});
  if (terms && *terms) {
    std::array<char, kDeflateAnswerBytesMax> out;
    const std::string_view answer = write_deflate_answer(out.data(), **terms);
    if (answer.size() > out.size()) __builtin_trap();
    send_and_receive(**terms, text);
  }
  const std::string frame = client_frame(text, {.opcode = Opcode::kBinary, .compressed = true});
  const ReceiveOptions options{.bytes_max = 10'000, .deflate = true};
  const std::string said = receive_in_steps(frame, frame.size() + 1, options);
  if (said.size() > 10'100 || said == kMemoryIsLost) __builtin_trap();
  return 0;
}
