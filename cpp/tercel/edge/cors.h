// A handler around a handler: answers what browsers ask before they let a page ask, and says in
// each answer which pages may read it.
//
//   const CorsPolicy policy{{.origins = {"https://app.example.com"}}};
//   edge::Cors cors(application, policy);
//   server::Server server(loop, cors, options);
//
// | the request                    | what becomes of it |
// |--------------------------------|---------------------------------------------------------------|
// | a preflight                    | answered with 204; the handler inside hears nothing | | with
// Origin                    | goes on; the fields are added to the answer, 4xx and 5xx too  | | of
// an origin that is not named | goes on; its answer gets no more than Vary                    | |
// without Origin                 | goes on as it is, for what it costs to look                   |
// | that asks for a WebSocket      | goes on as it is: CORS is not about those |
//
// What a server answers by itself before a handler is called, or when a body or a time is above
// its limit, has no such field. An answer to a request without Origin has no Vary: one that caches
// keep, and that pages read both ways, says so itself.
//
// Resource: one a loop. Thread: the loop's. Nothing is allocated once there is memory for as many
// requests with Origin as are under way. Source: Fetch standard, "CORS protocol". Tested by
// cors_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <span>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/base/slab.h"
#include "tercel/edge/cors_policy.h"
#include "tercel/http/handler.h"

namespace tercel::edge {

class Cors final : public http::Handler {
 public:
  // Both outlive it.
  Cors(http::Handler& inner, const CorsPolicy& policy) noexcept : inner_{inner}, policy_{policy} {}
  Cors(const Cors&) = delete;
  Cors& operator=(const Cors&) = delete;

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;

 private:
  // What the handler inside answers through: stands before the exchange until that ends.
  class Around final : public http::Exchange, private http::Observer {
   public:
    // `allowed`: what CorsPolicy::allow() said.
    Around(Cors& cors, http::Exchange& exchange, std::string_view allowed,
           std::string_view origin) noexcept;

    void observe(http::Observer* observer) noexcept override { observer_ = observer; }
    [[nodiscard]] const http::Endpoints& endpoints() const noexcept override {
      return exchange_.endpoints();
    }
    [[nodiscard]] http::BodyRead read_body() noexcept override { return exchange_.read_body(); }
    [[nodiscard]] http::BodyRead arrived_body() noexcept override {
      return exchange_.arrived_body();
    }
    [[nodiscard]] std::span<const http::Field> request_trailers() const noexcept override {
      return exchange_.request_trailers();
    }
    [[nodiscard]] Result<void> interim(const http::Response& response) noexcept override {
      return exchange_.interim(response);
    }
    [[nodiscard]] Result<void> start(const http::Response& response) noexcept override;
    [[nodiscard]] Result<void> write(http::Payload payload, http::Final final) noexcept override {
      return exchange_.write(payload, final);
    }
    [[nodiscard]] Result<void> write_file(http::FileRange range,
                                          http::Final final) noexcept override {
      return exchange_.write_file(range, final);
    }
    [[nodiscard]] Result<void> finish(std::span<const http::Field> trailers) noexcept override {
      return exchange_.finish(trailers);
    }
    using http::Exchange::abort;
    void abort(Errc error, std::chrono::seconds retry_after) noexcept override;
    [[nodiscard]] http::Place* keep_place() noexcept override { return exchange_.keep_place(); }
    [[nodiscard]] bool writable() const noexcept override { return exchange_.writable(); }
    [[nodiscard]] http::Traffic traffic() const noexcept override { return exchange_.traffic(); }

   private:
    // --- http::Observer
    void on_body() noexcept override;
    void on_writable() noexcept override;
    void on_notice(http::Notice notice) noexcept override;
    void on_end(http::Outcome outcome) noexcept override;

    Cors& cors_;
    http::Exchange& exchange_;
    http::Observer* observer_ = nullptr;
    std::string_view allowed_;
    std::array<char, CorsPolicy::kOriginBytesMax> origin_;  // Where allowed_ is of the request.
  };
  static_assert(sizeof(Around) <= 384);

  void answer_preflight(const http::Request& request, http::Exchange& exchange) const noexcept;

  http::Handler& inner_;
  const CorsPolicy& policy_;
  BlockPool blocks_;
  Slab<Around> under_way_;
};

}  // namespace tercel::edge
