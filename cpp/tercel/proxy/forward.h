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
// or 504 (too slow), and a line in the log, of which there is at most one a second.
// An OPTIONS that has come as far as its Max-Forwards says ends here, with 204. What comes with the
// proxy's own name in Via, kRoundsMax times, goes round in circles, and is answered with 508.
// Where a prefix was taken off the path (Request::root_path), the server behind is told. What asks
// for a WebSocket, over any version, becomes a tunnel to it if it agrees; other upgrades are not
// passed on.
// Resource: one a loop; outlives every exchange it was given. Thread: the loop's. Source: RFC 9110
// sections 7.6 and 7.8, RFC 7239, RFC 8441; for X-Forwarded-*, custom. Tested by forward_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tercel/base/errors.h"
#include "tercel/base/keyed_hash.h"
#include "tercel/http/handler.h"
#include "tercel/net/loop.h"
#include "tercel/proxy/relay.h"

namespace tercel::proxy {

// What becomes of fields in which proxies say for whom they ask.
enum class Trail : std::uint8_t {
  kKeep,     // They go on as they came.
  kRemove,   // They end here.
  kReplace,  // Ours, whatever the client wrote.
  kAppend    // Ours, behind what came if that is where a trusted proxy named the client; else as
             // kReplace.
};

// A field that is written whatever came, or removed if it has no value. `name` in lower case. What
// differs from it in "_" for "-" only is taken for the same: servers that make variables of names
// (CGI, WSGI) do so.
struct FieldEdit {
  std::string name;
  std::optional<std::string> value;
};

// Answers an exchange that there is no response for, with these fields besides its own.
using Refuse = void (*)(http::Exchange& exchange, Errc error,
                        std::span<const http::Field> fields) noexcept;

struct ForwardOptions {
  // Host and port of the server behind. Written in the Host field if `keep_host` is false, or the
  // client named none.
  std::string host;
  bool keep_host = true;
  // X-Forwarded-For, -Proto, -Host, and -Prefix if there is one. All others of that kind, and
  // X-Real-IP, go on with kKeep only: whoever wrote them, it need not have been a proxy.
  Trail x_forwarded = Trail::kAppend;
  Trail forwarded = Trail::kRemove;  // Forwarded
  // Name in the Via field; empty: none is written.
  std::string via = "tercel";
  // Of each kind the last word, over all that is said above. Names as in RequestHead::fields.
  std::vector<FieldEdit> request_fields = {};
  std::vector<FieldEdit> response_fields = {};
  // A connection that turns out to be closed is replaced, where nothing was lost (relay.h).
  bool retries = true;
  Refuse refuse = nullptr;  // Null: the answer is the server's own.
  CallOptions call = {};
};

class Forward final : public http::Handler, private Rewriter {
 public:
  // Of a request, through proxies of one name.
  static constexpr std::size_t kRoundsMax = 8;

  // `loop` and `source` outlive it.
  Forward(net::Loop& loop, Source& source, ForwardOptions options)
      : options_{std::move(options)}, source_{source}, context_{loop, options_.call} {
    context_.retries = options_.retries;
    context_.gone_when_closed = true;
  }

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;

 private:
  [[nodiscard]] Result<void> rewrite_request(const http::Request& from, Outgoing& to,
                                             FieldDraft& draft) noexcept override;
  [[nodiscard]] Result<void> rewrite_response(const http::ResponseHead& from, http::Response& to,
                                              FieldDraft& draft) noexcept override;
  void refused(http::Exchange& exchange, Errc error) noexcept override;

  // Whether a field of the client's goes on as it is.
  [[nodiscard]] bool goes_on(const http::Request& from, std::string_view name) const noexcept;
  // What the proxy says of itself, and of the client.
  void add_trail(const http::Request& from, const Outgoing& to, FieldDraft& draft) const noexcept;
  void add_x_forwarded(const http::Request& from, std::string_view peer,
                       FieldDraft& draft) const noexcept;
  void add_forwarded(const http::Request& from, std::string_view peer,
                     FieldDraft& draft) const noexcept;
  // Asks for another protocol as HTTP/1.1 does.
  void ask_for_upgrade(const http::Request& from, Outgoing& to, FieldDraft& draft) noexcept;
  // Whether it has come through here more often than any chain of proxies is long.
  [[nodiscard]] bool goes_round(const http::Request& request) const noexcept;
  void answer_round(http::Exchange& exchange) noexcept;
  void log_failure(std::string_view why) noexcept;

  const ForwardOptions options_;
  Source& source_;
  RelayContext context_;
  const KeyedHash keys_ = KeyedHash::random();  // Makes Sec-WebSocket-Key.
  std::uint64_t key_ = 0;
  std::optional<std::chrono::nanoseconds> logged_;  // When a failure was.
  std::uint64_t unlogged_ = 0;                      // Failures since.
};

// The target in origin form, or "*": what a server that is no proxy is asked for.
[[nodiscard]] std::string_view origin_form(const http::Request& request,
                                           FieldDraft& draft) noexcept;

}  // namespace tercel::proxy
