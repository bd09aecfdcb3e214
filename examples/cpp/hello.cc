// The engine without Python: answers every request with a greeting.
//
//   hello [PORT [CERTIFICATE KEY]]      PORT 0, the default, picks a free one. With TLS if there
//                                       are files in PEM of a certificate and its key.
//
// Build: cmake --preset release && cmake --build --preset release --target example_hello
#include <array>
#include <charconv>
#include <csignal>
#include <iostream>
#include <string>
#include <string_view>

#include "tercel/base/clock.h"
#include "tercel/net/listener.h"
#include "tercel/net/loop.h"
#include "tercel/server/server.h"

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

net::Loop* running = nullptr;

void stop(int) {
  running->stop();
  running->wake();
}

int report(std::string_view what, Errc error) {
  std::cerr << "hello: " << what << ": " << info(error).text << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  if (argc > 1) {
    const std::string_view text = argv[1];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size()) {
      std::cerr << "hello: PORT must be a number from 0 to 65535\n";
      return 2;
    }
  }

  server::Options options;
  if (argc == 4) {
    net::TlsOptions tls;
    tls.certificates.push_back({argv[2], argv[3], {}});
    tls.protocols = {"h2", "http/1.1"};
    std::string problem;
    options.tls = net::TlsContext::create(tls, problem);
    if (!options.tls) {
      std::cerr << "hello: " << problem << '\n';
      return 2;
    }
  }

  const SteadyClock clock;
  Result<std::unique_ptr<net::Loop>> loop = net::Loop::create(clock, net::system_calls());
  if (!loop) return report("cannot make an event loop", loop.error());

  Hello handler;
  server::Server server{**loop, handler, options};
  auto socket = net::ListenSocket::tcp(net::system_calls(), "127.0.0.1", port, {});
  if (!socket) return report("cannot listen", socket.error());
  const std::uint16_t bound = socket->address().port;
  if (auto listening = server.listen(*std::move(socket)); !listening) {
    return report("cannot listen", listening.error());
  }
  if (auto started = server.start(); !started) return report("cannot accept", started.error());

  running = loop->get();
  // OpenSSL writes to sockets that the peer has closed.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, stop);
  std::signal(SIGTERM, stop);
  std::cout << (options.tls ? "https" : "http") << "://127.0.0.1:" << bound << std::endl;
  if (auto ran = (*loop)->run(); !ran) return report("the event loop failed", ran.error());
}
