// The engine without Python: answers every request with a greeting.
//
//   hello [PORT [CERTIFICATE KEY]]      PORT 0, the default, picks a free one. With TLS if there
//                                       are files in PEM of a certificate and its key.
//
// Build: cmake --preset release && cmake --build --preset release --target example_hello
#include <array>
#include <iostream>
#include <span>
#include <string>
#include <string_view>

#include "tercel/http/handler.h"
#include "tercel/server/run.h"

namespace {

using namespace tercel;

constexpr std::string_view kBody = R"({"message":"Hello"})";

class Hello final : public http::Handler {
  void handle(const http::Request&, http::Exchange& exchange) noexcept override {
    static constexpr std::array<http::Field, 2> kFields{
        {{"content-type", "application/json"}, {"content-length", "19"}}};
    if (!exchange.start({.status = 200, .fields = kFields})) return;
    // Fails when the client is gone; the server sees to that.
    (void)exchange.write(http::Payload::borrow(kBody), http::Final::kYes);
  }
};
static_assert(kBody.size() == 19);

}  // namespace

int main(int argc, char** argv) {
  server::RunOptions options;
  options.bind = {"127.0.0.1:" + std::string{argc > 1 ? argv[1] : "0"}};
  if (argc == 4) {
    options.tls.certificates.push_back({.certificate = argv[2], .key = argv[3]});
  }
  options.on_ready = [](std::span<const std::string> urls) {
    for (const std::string& url : urls) std::cout << url << std::endl;
  };
  Hello handler;
  const server::Exit exit = server::run(handler, options);
  if (!exit.problem.empty()) std::cerr << "hello: " << exit.problem << '\n';
  return exit.status;
}
