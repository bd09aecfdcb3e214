// Invariants: a form has the same answer however it arrives; what a handler is given was sent, in
// its order, is UTF-8, and was asked for; when the answer is there, no memory is held for it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/memory_wire.h"
#include "tercel/api/app.h"
#include "tercel/base/utf8.h"
#include "tercel/http/h1_session.h"

namespace {

using namespace tercel;

// The largest input that is told apart from the framing of the request.
constexpr std::size_t kBytesMax = 100'000;

// Answers with all that it is given. Traps where that is not what may be given.
void answer(api::Call& call) {
  std::string all;
  for (std::size_t i = 0; i < call.parameters.size(); ++i) {
    all += call.parameters[i].name + (call.arguments.has(i) ? "=" : "-");
    if (!call.arguments.has(i)) continue;
    const json::Value value = call.arguments.value(i);
    if (value.kind() == json::Kind::kString) {
      if (!is_utf8(value.string())) __builtin_trap();
      all += value.string();
    }
    if (value.kind() == json::Kind::kArray) all += std::to_string(value.size());
    if (value.kind() == json::Kind::kInteger) all += std::to_string(value.int64());
  }
  if (call.form != nullptr) {
    std::size_t bytes = 0;
    for (const api::Upload& file : call.form->uploads()) {
      const api::Parameter& parameter = call.parameters[file.parameter()];
      if (parameter.type != api::Type::kFile || !call.arguments.has(file.parameter())) {
        __builtin_trap();
      }
      if (!parameter.array && call.upload(parameter.name) != &file) __builtin_trap();
      bytes += static_cast<std::size_t>(file.size());
      all += std::string{file.memory()} + "|" + std::string{file.content_type()};
    }
    if (bytes > kBytesMax) __builtin_trap();
  }
  call.text(200, all);
}

class Forms {
 public:
  Forms() {
    using api::In;
    using api::Type;
    app_.on("POST", "/",
            {{.name = "a", .in = In::kForm, .required = false},
             {.name = "n", .in = In::kForm, .type = Type::kInteger, .required = false},
             {.name = "l", .in = In::kForm, .required = false, .array = true},
             {.name = "f", .in = In::kForm, .type = Type::kFile, .required = false},
             {.name = "g", .in = In::kForm, .type = Type::kFile, .required = false, .array = true}},
            answer);
    if (app_.freeze()) __builtin_trap();
    context_.set_default_fields("", "", /*with_date=*/false);
  }

  // The answer to a body that arrives in pieces.
  std::string ask(std::string_view type, std::string_view body, std::size_t piece) {
    test::MemoryWire wire;
    http::H1Session session{wire, context_};
    wire.session = &session;
    wire.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string{type} +
                 "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
      wire.receive(body.substr(0, piece));
    }
    const std::string sent = wire.take_sent();
    if (!sent.starts_with("HTTP/1.1 200") && !sent.starts_with("HTTP/1.1 4")) __builtin_trap();
    // Whether the connection closes depends on what of the body was not read.
    constexpr std::size_t kStatusEnd = 12;
    return sent.substr(0, kStatusEnd) + sent.substr(sent.find("\r\n\r\n"));
  }

 private:
  api::App app_;
  http::H1Context context_{app_, http::Limits{}};
};

}  // namespace

// The first byte says in which pieces the rest arrives, the second which of the two forms it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > kBytesMax) return 0;
  static Forms forms;
  const std::size_t piece = 1 + data[0];
  const std::string_view type =
      data[1] % 2 == 0 ? "multipart/form-data; boundary=-b" : "application/x-www-form-urlencoded";
  const std::string_view body{reinterpret_cast<const char*>(data) + 2, size - 2};
  if (forms.ask(type, body, body.size() + 1) != forms.ask(type, body, piece)) __builtin_trap();
  return 0;
}
