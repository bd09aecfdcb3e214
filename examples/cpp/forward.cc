// A reverse proxy: every request goes on to one server, and its response back.
//
//   forward ADDRESS HOST PORT         forward 127.0.0.1:8000 backend.example 80
//
// Build: cmake --preset release && cmake --build --preset release --target example_forward
#include "tercel/proxy/forward.h"

#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "tercel/base/parse_number.h"
#include "tercel/net/resolver.h"
#include "tercel/proxy/pool.h"
#include "tercel/server/run.h"

namespace {

using namespace tercel;

// [proxy]
// What it takes on a loop: names, connections, and the handler that uses them.
class ReverseProxy final : public http::Handler {
 public:
  ReverseProxy(net::Loop& loop, const proxy::Origin& origin)
      : resolver_{loop},
        pool_{loop, resolver_, origin, {}},
        forward_{loop, pool_, {.host = origin.host + ":" + std::to_string(origin.port)}} {}

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    forward_.handle(request, exchange);
  }

 private:
  net::Resolver resolver_;
  proxy::Pool pool_;
  proxy::Forward forward_;
};
// [/proxy]

}  // namespace

int main(int argc, char** argv) {
  const auto port = argc == 4 ? parse_decimal(argv[3], 65535) : fail(Errc::kNotANumber);
  if (!port) {
    std::cerr << "forward: say ADDRESS HOST PORT, for example 127.0.0.1:8000 localhost 9000\n";
    return 2;
  }
  const proxy::Origin origin{.host = argv[2], .port = static_cast<std::uint16_t>(*port)};
  server::RunOptions options;
  options.bind = {argv[1]};
  options.on_ready = [](std::span<const std::string> urls) { std::cout << urls[0] << std::endl; };
  const server::Exit exit = server::run(
      [&](net::Loop& loop) { return std::make_unique<ReverseProxy>(loop, origin); }, options);
  if (!exit.problem.empty()) std::cerr << "forward: " << exit.problem << '\n';
  return exit.status;
}
