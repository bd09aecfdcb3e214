// The hello of the native workloads on uWebSockets, which is not tercel's: tools/deps.sh --bench
// fetches it.
//
//   uwebsockets PORT
//
// One thread, no TLS, epoll; the answer as in its own documentation.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "App.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: uwebsockets PORT\n", stderr);
    return 2;
  }
  const auto hello = [](auto* response, auto* /*request*/) {
    response->writeHeader("content-type", "application/json")->end(R"({"message":"Hello"})");
  };
  const auto listening = [](auto* socket) {
    if (socket != nullptr) return;
    std::fputs("uwebsockets: cannot listen there\n", stderr);
    std::exit(1);
  };
  uWS::App{}.get("/*", hello).listen("127.0.0.1", std::atoi(argv[1]), listening).run();
}
