// A handler that forwards every request to an ordinary HTTP server, and its response back: a
// reverse proxy, to be mounted like any other handler.
//
//   proxy::Pool pool{loop, resolver, {.host = "backend.example", .port = 8080}, {}};
//   proxy::Forward forward{loop, pool, {.host = "backend.example:8080"}};
//   server::Server server{loop, forward, options};
//
// Fields of one connection stay behind, bodies stream both ways, `Expect: 100-continue`, interim
// responses and trailers go through. The client may speak any version of HTTP, the server behind
// gets HTTP/1.1. It is answered for with 502 (unreachable, broken, malformed), 503 (too many wait)
// or 504 (too slow).
// Resource: one a loop; outlives every exchange it was given. Thread: the loop's. Source: RFC 9110
// section 7.6, RFC 7239. Not here: upgrades; a WebSocket handshake goes on as a plain request.
// Tested by forward_test.cc.
#pragma once

#include <string>

#include "tercel/http/handler.h"
#include "tercel/net/loop.h"
#include "tercel/proxy/relay.h"

namespace tercel::proxy {

// What becomes of fields in which proxies say for whom they ask.
enum class Trail : std::uint8_t {
  kKeep,     // They go on as they came.
  kRemove,   // They end here.
  kReplace,  // Ours, whatever the client wrote.
  kAppend    // Ours, behind what came: only where who wrote it is trusted.
};

struct ForwardOptions {
  // Host and port of the server behind. Written in the Host field if `keep_host` is false, or the
  // client named none.
  std::string host;
  bool keep_host = true;
  Trail x_forwarded = Trail::kReplace;  // X-Forwarded-For, -Proto and -Host.
  Trail forwarded = Trail::kRemove;     // Forwarded
  // Name in the Via field; empty: none is written.
  std::string via = "tercel";
  CallOptions call = {};
};

class Forward final : public http::Handler, private Rewriter {
 public:
  // `loop` and `source` outlive it.
  Forward(net::Loop& loop, Source& source, ForwardOptions options)
      : options_{std::move(options)}, source_{source}, context_{loop, options_.call} {}

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    Relay::start(context_, *this, request, exchange);
  }

 private:
  [[nodiscard]] Result<void> rewrite_request(const http::Request& from, Outgoing& to,
                                             FieldDraft& draft) noexcept override;
  [[nodiscard]] Result<void> rewrite_response(const http::ResponseHead& from, http::Response& to,
                                              FieldDraft& draft) noexcept override;
  // Whether a field of the client's goes on as it is.
  [[nodiscard]] bool goes_on(std::string_view name) const noexcept;
  void add_trail(const http::Request& from, FieldDraft& draft) const noexcept;

  const ForwardOptions options_;
  Source& source_;
  RelayContext context_;
};

// The target in origin form, or "*": what a server that is no proxy is asked for.
[[nodiscard]] std::string_view origin_form(const http::Request& request,
                                           FieldDraft& draft) noexcept;

}  // namespace tercel::proxy
