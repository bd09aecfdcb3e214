// The API as one handler: finds the route of a request, takes its parameters and its body, and
// calls its endpoint with both; what is wrong is answered before.
//
//   api::App app;
//   app.get("/hello/{name}", [](api::Call& call) {
//     call.json(200, [&](json::Writer& out) {
//       out.begin_object();
//       out.key("message");
//       out.string(call.argument<std::string_view>("name").value_or("you"));
//       out.end_object();
//     });
//   });
//   if (const auto mistake = app.freeze()) ... *mistake is a sentence
//
// | the request                                     | answer                             |
// |-------------------------------------------------|------------------------------------|
// | no route has its path                           | 404, or that of set_unrouted()     |
// | a converter takes its path no longer when its   |                                    |
// | body has come                                   | 404                                |
// | a path above kPathBytesMax                      | 414                                |
// | a method that nobody knows                      | 501                                |
// | a method that its path does not have            | 405, with Allow                    |
// | HEAD where there is GET                         | as GET; the body is left out       |
// | OPTIONS where no route has it                   | 204, with Allow                    |
// | a body that its Content-Type does not call JSON | 415; without one it is JSON        |
// | a form that its Content-Type does not call one  | 415                                |
// | a charset other than UTF-8                      | 415                                |
// | a Content-Encoding, where the body is parsed    | 415, with Accept-Encoding          |
// | a body above the limit of the route             | 413, at once if its length is said |
// | a form that is malformed, or has no boundary    | 400                                |
// | a form with too many parts or files, or with    |                                    |
// | texts, heads or files that are too long         | 413 (limits.h)                     |
// | no room on disk for files, or a failure of it   | 507, 500                           |
// | more requests than the rate of the route        | 429, before its body is read       |
// | credentials that the route asks for are missing | 401, as early (credential_rule.h)  |
// | Accept takes none of what the route answers     | 406, as early (negotiation.h)      |
// | JSON that is malformed or too deep              | 400, with the place                |
// | MessagePack likewise, where the route takes it  | 400, with the place                |
// | a body that set_media_readers() refuses         | 400, with what that says           |
// | too many pairs of a query, or cookies           | 400, 431                           |
// | values that types and schemas refuse            | 422, with all of them (failures.h) |
//
// Every answer is a problem document (problem.h). Parameters and body are both looked at before
// anything is said of their values. From 406 on, and where it is about the body, an authenticator
// of the route is asked before it is said (route.h).
//
// Resource: one a loop; outlives every exchange that it was given. Thread: the loop's. A route is
// added before freeze(), requests come after it. Cost of a request: that of the lookup
// (route/router.h), of its parts that somebody asked for, and of its body. Nothing is allocated
// once its memory has grown to what requests need, but for the parts of a multipart form. Source:
// RFC 9110 section 15, RFC 9457. Tested by app_test.cc and form_reader_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tercel/api/body_parser.h"
#include "tercel/api/body_plan.h"
#include "tercel/api/body_reader.h"
#include "tercel/api/call.h"
#include "tercel/api/failures.h"
#include "tercel/api/form.h"
#include "tercel/api/form_reader.h"
#include "tercel/api/limits.h"
#include "tercel/api/request_plan.h"
#include "tercel/api/route.h"
#include "tercel/base/block_pool.h"
#include "tercel/base/clock.h"
#include "tercel/base/slab.h"
#include "tercel/edge/rate_rule.h"
#include "tercel/http/handler.h"
#include "tercel/json/writer.h"
#include "tercel/route/match.h"
#include "tercel/route/router.h"
#include "tercel/route/router_builder.h"
#include "tercel/schema/program.h"
#include "tercel/schema/registry.h"
#include "tercel/schema/validator.h"

namespace tercel::api {

class App final : public http::Handler, private BodyOwner, private FormOwner {
 public:
  // `users`: the converters of the application's own that its templates name; outlive it.
  explicit App(route::UserConverters* users = nullptr)
      : users_{users},
        builder_{users},
        match_{decoded_, users},
        failures_{blocks_},
        scratch_{blocks_},
        asking_scratch_{blocks_} {}
  App(const App&) = delete;
  App& operator=(const App&) = delete;
  ~App() override;

  // Nothing, or one sentence that says what to change about the route; then it is not there.
  [[nodiscard]] route::Problem add(Route route);
  // Ends the registration. Returns the first mistake: one that was kept, or one in a schema. No
  // request may come then.
  [[nodiscard]] route::Problem freeze();

  // The same with a function of `Call&`. Fields of the path that are no parameters yet become some,
  // behind the others: integers and numbers where their converter is int or float, else strings. A
  // mistake is kept, the first one.
  // NOLINTBEGIN(performance-unnecessary-value-param): clang-tidy 14 sees no move in a template.
  template <typename Function>
  void on(std::string_view method, std::string_view path, std::vector<Parameter> parameters,
          Function function, BodyPlan body = {}) {
    add_or_keep({.method = std::string{method},
                 .path = std::string{path},
                 .parameters = std::move(parameters),
                 .body = std::move(body),
                 .endpoint = std::make_unique<FunctionEndpoint<Function>>(std::move(function))});
  }
  // NOLINTEND(performance-unnecessary-value-param)
  template <typename Function>
  void get(std::string_view path, Function function) {
    on("GET", path, {}, std::move(function));
  }
  template <typename Function>
  void get(std::string_view path, std::vector<Parameter> parameters, Function function) {
    on("GET", path, std::move(parameters), std::move(function));
  }
  // With a body of JSON, which is required.
  template <typename Function>
  void post(std::string_view path, Function function) {
    on("POST", path, {}, std::move(function), {.kind = BodyKind::kJson});
  }
  template <typename Function>
  void post(std::string_view path, std::string_view schema, Function function) {
    on("POST", path, {}, std::move(function),
       {.kind = BodyKind::kJson, .schema = std::string{schema}});
  }

  // Where files of forms go that are too large for memory (spool.h); /tmp otherwise.
  void set_spool_directory(std::string path) noexcept { spool_directory_ = std::move(path); }

  // Who reads typed bodies in media types of the application's own. Outlives the app.
  void set_media_readers(MediaReaders* readers) noexcept { body_parser_.set_readers(readers); }

  // Gets the requests that ask for a WebSocket; without it they are requests like others. Outlives
  // the app.
  void set_websockets(http::Handler* handler) noexcept { websockets_ = handler; }

  // Gets the requests whose path no route has, as they came; without it they are answered with 404.
  // Outlives the app.
  void set_unrouted(http::Handler* handler) noexcept { unrouted_ = handler; }

  // Gets the requests of routes that are `passed_on`, as they came; without it they are answered as
  // those of other routes. Outlives the app.
  void set_passed_on(http::Handler* handler) noexcept { passed_on_ = handler; }

  // Whether requests count for the rate of their route: one that comes a second time does not.
  enum class Counting : bool { kNo, kYes };
  void set_counting(Counting counting) noexcept { counting_ = counting; }
  // For rates. Outlives the app; without it, it is CLOCK_MONOTONIC.
  void set_clock(const Clock& clock) noexcept { clock_ = &clock; }

  // REQUIRES of both: freeze() was called.
  // The number of the route that a request has, in the order of add(). Nothing: none.
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view method,
                                                  std::string_view path) noexcept;
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;

 private:
  template <typename Function>
  class FunctionEndpoint final : public Endpoint {
   public:
    explicit FunctionEndpoint(Function function) : function_{std::move(function)} {}
    void call(Call& call) noexcept override { function_(call); }

   private:
    Function function_;
  };

  // What is known of a route when requests come.
  // The authenticator of a route. Most have none.
  struct Gate {
    RequestPlan plan;
    std::unique_ptr<Endpoint> endpoint;
  };
  struct Entry {
    RequestPlan plan;
    BodyPlan body;
    std::optional<schema::Program> body_schema;
    std::unique_ptr<Endpoint> endpoint;
    edge::RateRule* rate;
    std::vector<Demand> demands;
    std::unique_ptr<Gate> gate;  // Null: nobody is asked who it is.
    const Negotiation* negotiation;
    bool strict;
    bool passed_on;
  };
  // Of an entry whose endpoint is being called.
  class Asking final : public Authentication {
   public:
    Asking(App& app, Entry& entry) noexcept : app_{app}, entry_{entry} {}
    void ask(Call& call, const Refusal& refusal) noexcept override {
      app_.authenticate(entry_, call.request, call.exchange, refusal);
    }

   private:
    App& app_;
    Entry& entry_;
  };

  void add_or_keep(Route route);
  void handle_with_body(const http::Request& request, http::Exchange& exchange) noexcept;
  [[nodiscard]] route::Problem compile_schemas(Entry& entry, std::size_t number);
  // The route of a request, and match_; null: it was answered, or is another handler's.
  [[nodiscard]] Entry* find(const http::Request& request, http::Exchange& exchange) noexcept;
  // The same for a route that was found.
  [[nodiscard]] Entry* entry_of(route::RouteId route, const http::Request& request,
                                http::Exchange& exchange) noexcept;
  // The same for one whose body is here, which was read for a route; null: it was answered.
  [[nodiscard]] Entry* find_again(std::uint32_t route, const http::Request& request,
                                  http::Exchange& exchange) noexcept;
  [[nodiscard]] std::uint32_t number_of(const Entry& entry) const noexcept {
    return static_cast<std::uint32_t>(&entry - entries_.data());
  }
  void refuse_method(const http::Request& request, http::Exchange& exchange) noexcept;
  // False: it was answered.
  [[nodiscard]] bool admit(Entry& entry, const http::Request& request,
                           http::Exchange& exchange) noexcept {
    return is_in_time(entry, request, exchange) && shows_credentials(entry, request, exchange) &&
           is_acceptable(entry, request, exchange);
  }
  [[nodiscard]] bool is_in_time(const Entry& entry, const http::Request& request,
                                http::Exchange& exchange) noexcept;
  [[nodiscard]] bool shows_credentials(const Entry& entry, const http::Request& request,
                                       http::Exchange& exchange) noexcept;
  // Answers a request that does not meet `demand`.
  void deny(const Demand& demand, const http::Request& request, http::Exchange& exchange) noexcept;
  // Answers with `refusal`, once the authenticator of `entry` knows who asks. REQUIRES: it has one;
  // match_ is that of the request.
  void authenticate(Entry& entry, const http::Request& request, http::Exchange& exchange,
                    const Refusal& refusal) noexcept;
  // False: it was answered.
  [[nodiscard]] bool is_acceptable(Entry& entry, const http::Request& request,
                                   http::Exchange& exchange) noexcept;
  [[nodiscard]] bool takes_body(Entry& entry, const http::Request& request,
                                http::Exchange& exchange) noexcept;
  [[nodiscard]] bool takes_form(Entry& entry, const http::Request& request,
                                http::Exchange& exchange) noexcept;
  void read_form(const Entry& entry, std::string_view boundary, const http::Request& request,
                 Block head, http::Exchange& exchange) noexcept;
  // What a request has for a body: bytes, or a multipart form.
  struct Body {
    std::string_view bytes = {};
    Form* form = nullptr;
  };
  // REQUIRES: match_ is that of the request.
  void call(Entry& entry, const http::Request& request, Body body,
            http::Exchange& exchange) noexcept;
  // What the endpoint is called with; false: it was answered. `room` is what values of a form point
  // into.
  [[nodiscard]] bool read(Entry& entry, const http::Request& request, Body body, Block& room,
                          std::optional<json::Value>& root, http::Exchange& exchange) noexcept;
  // Steps of read(), which throw std::bad_alloc, and have not answered then.
  // Takes the parameters; false: it was answered.
  [[nodiscard]] bool collect(Entry& entry, const http::Request& request, Body body, Block& room,
                             http::Exchange& exchange);
  // Parses `body`; false: it was answered.
  [[nodiscard]] bool parse(Entry& entry, const http::Request& request, std::string_view body,
                           std::optional<json::Value>& root, http::Exchange& exchange);
  void validate(const Entry& entry, std::optional<json::Value> body);
  // Says what is wrong with a request that has no route.
  void refuse(std::uint16_t status, const http::Request& request,
              http::Exchange& exchange) noexcept;
  // The same for one that has: to who may know. REQUIRES: match_ is that of the request.
  void refuse(Entry& entry, const Problem& problem, const http::Request& request,
              http::Exchange& exchange, std::span<const http::Field> fields = {}) noexcept;
  void refuse(Entry& entry, Errc error, const http::Request& request,
              http::Exchange& exchange) noexcept;

  // --- BodyOwner
  void on_body(std::uint32_t route, const http::Request& request, std::string_view body,
               http::Exchange& exchange) noexcept override;
  void on_body_too_large(std::uint32_t route, const http::Request& request,
                         http::Exchange& exchange) noexcept override;
  void destroy(BodyReader* reader) noexcept override { readers_.destroy(reader); }

  // --- FormOwner
  void on_form(std::uint32_t route, const http::Request& request, Form& form,
               http::Exchange& exchange) noexcept override;
  void on_form_failed(std::uint32_t route, const http::Request& request, Errc why,
                      http::Exchange& exchange) noexcept override;
  void destroy(FormReader* reader) noexcept override { form_readers_.destroy(reader); }

  std::vector<Route> routes_;  // Until freeze().
  route::UserConverters* users_;
  route::RouterBuilder builder_;
  route::Problem mistake_;
  route::Router router_;
  schema::Registry schemas_;
  std::vector<Entry> entries_;      // By RouteId.
  std::vector<std::string> allow_;  // By endpoint.
  http::Handler* websockets_ = nullptr;
  http::Handler* unrouted_ = nullptr;
  http::Handler* passed_on_ = nullptr;
  std::string spool_directory_ = "/tmp";
  SteadyClock steady_;
  const Clock* clock_ = &steady_;
  Counting counting_ = Counting::kYes;

  // For the request that is being dealt with.
  BlockPool blocks_;
  std::array<char, kPathBytesMax> decoded_{};
  route::Match match_;
  Arguments arguments_;
  Failures failures_;
  BodyParser body_parser_;
  schema::Validator validator_{{.assert_formats = true}};
  json::Writer scratch_;
  json::Writer asking_scratch_;  // Of authenticators: what they let through may be in scratch_.
  std::vector<FormValue> form_values_;
  Slab<BodyReader> readers_;
  Slab<FormReader> form_readers_;
};

}  // namespace tercel::api
