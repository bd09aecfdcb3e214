#include "tercel/api/app.h"

#include <algorithm>
#include <charconv>

#include "tercel/api/body_type.h"
#include "tercel/api/urlencoded.h"
#include "tercel/base/errors.h"
#include "tercel/base/with_memory.h"
#include "tercel/http/message_copy.h"

namespace tercel::api {
namespace {

// HEAD and OPTIONS that no route has are answered here.
route::MethodSet implied_by(const route::Endpoint& endpoint) {
  route::MethodSet implied;
  if (endpoint.methods().has(route::Method::kGet)) implied.add(route::Method::kHead);
  implied.add(route::Method::kOptions);
  return implied;
}

// To answer in; empty: there is nothing to choose.
std::string_view media_type_of(const Negotiation* negotiation,
                               const http::Request& request) noexcept {
  if (negotiation == nullptr) return {};
  return negotiation->name(negotiation->choose(request).value_or(0));
}

Problem invalid(const http::Request& request, Failures& failures) noexcept {
  return {.status = 422,
          .detail = "Values of the request are missing or not what they must be.",
          .instance = request.path,
          .errors = failures.json()};
}

}  // namespace

App::~App() {
  // Exchanges that are left behind have been ended by their server.
  TERCEL_ASSERT(readers_.alive() == 0 && form_readers_.alive() == 0);
}

// --- registration

route::Problem App::add(Route route) {
  if (auto problem = check_parameters(route)) return problem;
  if (auto problem = plan_form(route)) return problem;
  const auto id = static_cast<route::RouteId>(routes_.size());
  if (auto problem = builder_.add(
          {.method = route.method, .path = route.path, .route = id, .name = route.name})) {
    return problem;
  }
  routes_.push_back(std::move(route));
  return std::nullopt;
}

void App::add_or_keep(Route route) {
  auto problem = add_path_parameters(route, users_);
  if (!problem) problem = add(std::move(route));
  if (!mistake_) mistake_ = std::move(problem);
}

route::Problem App::freeze() {
  if (mistake_) return mistake_;
  router_ = std::move(builder_).compile();
  builder_ = route::RouterBuilder{};
  std::vector<const route::Endpoint*> endpoints(routes_.size());
  for (const route::Endpoint& endpoint : router_.endpoints()) {
    allow_.push_back(endpoint.allow(implied_by(endpoint)));
    for (const route::Verb& verb : endpoint.verbs()) endpoints[verb.route] = &endpoint;
  }
  entries_.reserve(routes_.size());
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    Route& route = routes_[i];
    entries_.push_back({.plan{std::move(route.parameters), endpoints[i]->fields()},
                        .body = route.body,
                        .body_schema = {},
                        .endpoint = std::move(route.endpoint),
                        .rate = route.rate,
                        .demands = std::move(route.demands),
                        .gate = {},
                        .negotiation = route.negotiation,
                        .strict = route.strict,
                        .passed_on = route.passed_on});
    if (auto& asked = route.authenticator; asked.endpoint != nullptr) {
      entries_.back().gate =
          std::make_unique<Gate>(Gate{.plan{std::move(asked.parameters), endpoints[i]->fields()},
                                      .endpoint = std::move(asked.endpoint)});
    }
    if (auto problem = compile_schemas(entries_.back(), i)) {
      return *problem + " It is of the route " + route.method + " " + route.path + ".";
    }
  }
  routes_.clear();
  routes_.shrink_to_fit();
  return std::nullopt;
}

route::Problem App::compile_schemas(Entry& entry, std::size_t number) {
  const std::string uri = "tercel:/routes/" + std::to_string(number);
  if (auto problem = entry.plan.compile(schemas_, uri + "/parameters")) return problem;
  if (entry.gate != nullptr) {
    auto problem = entry.gate->plan.compile(schemas_, uri + "/authenticator");
    if (problem) return problem;
  }
  if (entry.body.schema.empty()) return std::nullopt;
  auto program = compile_schema(schemas_, uri + "/body", entry.body.schema);
  if (!program) return "The schema of the body is none: " + schemas_.fault().reason + ".";
  entry.body_schema = *std::move(program);
  return std::nullopt;
}

// --- requests

void App::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  if (websockets_ != nullptr && request.protocol == "websocket") {
    return websockets_->handle(request, exchange);
  }
  if (request.has_body) return handle_with_body(request, exchange);
  Entry* const entry = find(request, exchange);
  if (entry == nullptr || !admit(*entry, request, exchange)) return;
  call(*entry, request, Body{}, exchange);
}

void App::handle_with_body(const http::Request& request, http::Exchange& exchange) noexcept {
  // To read the body is to use the buffer that the request is in.
  Block head = blocks_.take(http::copy_bytes(request));
  if (!head) return exchange.abort(Errc::kNoMemory);
  const http::Request kept = http::copy(request, head.data());
  Entry* const entry = find(kept, exchange);
  if (entry == nullptr || !admit(*entry, kept, exchange)) return;
  if (entry->body.kind == BodyKind::kNone) return call(*entry, kept, Body{}, exchange);
  if (!takes_body(*entry, kept, exchange)) return;
  std::uint64_t bytes_max = entry->body.bytes_max;
  if (entry->body.kind == BodyKind::kForm) {
    const FormType form = form_type_of(kept);
    if (form.encoding == FormEncoding::kMultipart) {
      return read_form(*entry, form.media.boundary, kept, std::move(head), exchange);
    }
    bytes_max = std::min<std::uint64_t>(bytes_max, kFormTextBytesMax);
  }
  const http::BodyRead read = exchange.read_body();
  if (read.state == http::BodyState::kFailed) return;
  if (read.state == http::BodyState::kEnd && read.bytes.size() <= bytes_max) {
    return call(*entry, kept, {.bytes = read.bytes}, exchange);
  }
  BodyOwner& owner = *this;
  BodyReader* const reader = readers_.make(owner, blocks_, number_of(*entry), bytes_max);
  if (reader == nullptr) return exchange.abort(Errc::kNoMemory);
  reader->start(kept, std::move(head), read.bytes, exchange);
}

std::optional<std::uint32_t> App::find(std::string_view method, std::string_view path) noexcept {
  switch (router_.find(method, path, match_)) {
    case route::Outcome::kFound:
      return match_.route();
    case route::Outcome::kMethodNotAllowed:
      return method == "HEAD" ? match_.endpoint()->route(route::Method::kGet) : std::nullopt;
    default:
      return std::nullopt;
  }
}

void App::read_form(const Entry& entry, std::string_view boundary, const http::Request& request,
                    Block head, http::Exchange& exchange) noexcept {
  const http::BodyRead first = exchange.read_body();
  if (first.state == http::BodyState::kFailed) return;
  Block memory = blocks_.take(FormReader::kMemoryBytes);
  if (!memory) return exchange.abort(Errc::kNoMemory);
  FormOwner& owner = *this;
  const FormReader::Options options{.plan = entry.plan,
                                    .blocks = blocks_,
                                    .spool = {.directory = spool_directory_.c_str()},
                                    .route = number_of(entry),
                                    .bytes_max = entry.body.bytes_max};
  FormReader* const reader = form_readers_.make(owner, options, boundary, std::move(memory));
  if (reader == nullptr) return exchange.abort(Errc::kNoMemory);
  reader->start(request, std::move(head), first, exchange);
}

App::Entry* App::find(const http::Request& request, http::Exchange& exchange) noexcept {
  switch (router_.find(request.method, request.path, match_)) {
    case route::Outcome::kFound:
      return entry_of(match_.route(), request, exchange);
    case route::Outcome::kMethodNotAllowed:
      if (request.method == "HEAD") {
        const auto get = match_.endpoint()->route(route::Method::kGet);
        if (get) return entry_of(*get, request, exchange);
      }
      refuse_method(request, exchange);
      return nullptr;
    case route::Outcome::kNotFound:
      if (unrouted_ != nullptr) {
        unrouted_->handle(request, exchange);
        return nullptr;
      }
      refuse(404, request, exchange);
      return nullptr;
    case route::Outcome::kTooLong:
      refuse(414, request, exchange);
      return nullptr;
  }
  return nullptr;
}

App::Entry* App::entry_of(route::RouteId route, const http::Request& request,
                          http::Exchange& exchange) noexcept {
  Entry& entry = entries_[route];
  if (passed_on_ == nullptr || !entry.passed_on) return &entry;
  passed_on_->handle(request, exchange);
  return nullptr;
}

void App::refuse_method(const http::Request& request, http::Exchange& exchange) noexcept {
  const auto index = static_cast<std::size_t>(match_.endpoint() - router_.endpoints().data());
  const std::array<http::Field, 1> allow{{{"allow", allow_[index]}}};
  if (request.method == "OPTIONS") return answer(exchange, 204, {}, {}, allow);
  const bool known = router_.knows_method(request.method);
  answer_problem(
      exchange, {.status = static_cast<std::uint16_t>(known ? 405 : 501), .instance = request.path},
      scratch_, allow);
}

bool App::is_in_time(const Entry& entry, const http::Request& request,
                     http::Exchange& exchange) noexcept {
  if (entry.rate == nullptr || counting_ == Counting::kNo) return true;
  const auto wait = entry.rate->take(request, clock_->now());
  if (wait <= std::chrono::nanoseconds{0}) return true;
  constexpr std::size_t kDigitsMax = 20;
  std::array<char, kDigitsMax> digits;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), seconds);
  const std::array<http::Field, 1> retry{
      {{"retry-after", {digits.data(), static_cast<std::size_t>(written.ptr - digits.data())}}}};
  answer_problem(exchange,
                 {.status = 429,
                  .detail = "More requests came from this client than this path takes.",
                  .instance = request.path},
                 scratch_, retry);
  return false;
}

bool App::shows_credentials(const Entry& entry, const http::Request& request,
                            http::Exchange& exchange) noexcept {
  for (const Demand& demand : entry.demands) {
    const Result<bool> met = demand.rule->is_met(request, blocks_);
    if (met && *met) continue;
    if (met) {
      deny(demand, request, exchange);
    } else {
      exchange.abort(met.error());
    }
    return false;
  }
  return true;
}

void App::deny(const Demand& demand, const http::Request& request,
               http::Exchange& exchange) noexcept {
  if (demand.refused == nullptr) return demand.rule->refuse(request, exchange, scratch_);
  scratch_.clear();
  Call call{.request = request, .exchange = exchange, .arguments = arguments_, .scratch = scratch_};
  demand.refused->call(call);
}

void App::authenticate(Entry& entry, const http::Request& request, http::Exchange& exchange,
                       const Refusal& refusal) noexcept {
  const RequestPlan& plan = entry.gate->plan;
  failures_.clear();
  Result<void> collected;
  const bool remembered = with_memory([&] {
    collected = plan.collect(request, match_, arguments_, failures_);
    if (collected) plan.validate(arguments_, validator_, failures_);
  });
  if (!remembered || !failures_.ok()) return exchange.abort(Errc::kNoMemory);
  if (!collected) return answer_problem(exchange, collected.error(), request.path, scratch_);
  if (!failures_.empty()) {
    // What says who asks is not what it must be.
    if (!entry.demands.empty()) return deny(entry.demands.front(), request, exchange);
    return answer_problem(exchange, invalid(request, failures_), scratch_);
  }
  asking_scratch_.clear();
  Call call{.request = request,
            .exchange = exchange,
            .parameters = plan.parameters(),
            .arguments = arguments_,
            .refusal = &refusal,
            .scratch = asking_scratch_};
  entry.gate->endpoint->call(call);
}

bool App::is_acceptable(Entry& entry, const http::Request& request,
                        http::Exchange& exchange) noexcept {
  if (!entry.strict || entry.negotiation == nullptr) return true;
  if (entry.negotiation->choose(request)) return true;
  constexpr std::array<http::Field, 1> kVary{{{"vary", "Accept"}}};
  refuse(entry, {.status = 406, .detail = entry.negotiation->detail()}, request, exchange, kVary);
  return false;
}

bool App::takes_body(Entry& entry, const http::Request& request,
                     http::Exchange& exchange) noexcept {
  const BodyPlan& body = entry.body;
  if (body.kind != BodyKind::kBytes && is_encoded(request)) {
    // RFC 9110, section 12.5.3: the field says what would do.
    constexpr std::array<http::Field, 1> kTaken{{{"accept-encoding", "identity"}}};
    refuse(entry,
           {.status = 415, .detail = "The body must come as it is, without a Content-Encoding."},
           request, exchange, kTaken);
    return false;
  }
  if (body.kind == BodyKind::kJson && !body_parser_.takes(body, request)) {
    std::string expected;
    const bool told = with_memory([&] { expected = body_parser_.expected(body); });
    if (!told) {
      exchange.abort(Errc::kNoMemory);
    } else {
      refuse(entry, {.status = 415, .detail = expected}, request, exchange);
    }
    return false;
  }
  if (body.kind == BodyKind::kForm && !takes_form(entry, request, exchange)) return false;
  if (request.content_length.value_or(0) <= body.bytes_max) return true;
  refuse(entry, Errc::kBodyTooLarge, request, exchange);
  return false;
}

bool App::takes_form(Entry& entry, const http::Request& request,
                     http::Exchange& exchange) noexcept {
  const FormType form = form_type_of(request);
  if (form.encoding == FormEncoding::kNone) {
    refuse(entry,
           {.status = 415,
            .detail = "The body must be a form in UTF-8, and its Content-Type must say so: "
                      "application/x-www-form-urlencoded or multipart/form-data."},
           request, exchange);
    return false;
  }
  if (form.encoding == FormEncoding::kMultipart && !http::form_boundary(form.media)) {
    refuse(entry, Errc::kBadBoundary, request, exchange);
    return false;
  }
  return true;
}

// Other requests came meanwhile; what was found is found again. A converter of the application's
// own may say otherwise by then: the body was read, and the form taken apart, for that route alone.
App::Entry* App::find_again(std::uint32_t route, const http::Request& request,
                            http::Exchange& exchange) noexcept {
  if (find(request.method, request.path) == route) return &entries_[route];
  refuse(404, request, exchange);
  return nullptr;
}

void App::on_body(std::uint32_t route, const http::Request& request, std::string_view body,
                  http::Exchange& exchange) noexcept {
  if (Entry* const entry = find_again(route, request, exchange)) {
    call(*entry, request, {.bytes = body}, exchange);
  }
}

void App::on_form(std::uint32_t route, const http::Request& request, Form& form,
                  http::Exchange& exchange) noexcept {
  if (Entry* const entry = find_again(route, request, exchange)) {
    call(*entry, request, {.form = &form}, exchange);
  }
}

void App::on_form_failed(std::uint32_t route, const http::Request& request, Errc why,
                         http::Exchange& exchange) noexcept {
  if (Entry* const entry = find_again(route, request, exchange)) {
    refuse(*entry, why, request, exchange);
  }
}

void App::on_body_too_large(std::uint32_t route, const http::Request& request,
                            http::Exchange& exchange) noexcept {
  on_form_failed(route, request, Errc::kBodyTooLarge, exchange);
}

void App::call(Entry& entry, const http::Request& request, Body body,
               http::Exchange& exchange) noexcept {
  failures_.clear();
  Block room;
  std::optional<json::Value> root;
  if (!read(entry, request, body, room, root, exchange)) return;
  if (failures_.empty()) {
    scratch_.clear();
    Asking asking{*this, entry};
    Call call{.request = request,
              .exchange = exchange,
              .parameters = entry.plan.parameters(),
              .arguments = arguments_,
              .body = root,
              .is_text = !root || body_parser_.is_text(),
              .bytes = body.bytes,
              .media_type = media_type_of(entry.negotiation, request),
              .form = body.form,
              .authentication = entry.gate != nullptr ? &asking : nullptr,
              .scratch = scratch_};
    entry.endpoint->call(call);
  } else if (!failures_.ok()) {
    exchange.abort(Errc::kNoMemory);
  } else {
    refuse(entry, invalid(request, failures_), request, exchange);
  }
  body_parser_.forget();
}

bool App::read(Entry& entry, const http::Request& request, Body body, Block& room,
               std::optional<json::Value>& root, http::Exchange& exchange) noexcept {
  bool goes_on = false;
  const bool remembered = with_memory([&] {
    goes_on =
        collect(entry, request, body, room, exchange) &&
        (entry.body.kind != BodyKind::kJson || parse(entry, request, body.bytes, root, exchange));
    if (goes_on) validate(entry, root);
  });
  if (!remembered) exchange.abort(Errc::kNoMemory);
  return remembered && goes_on;
}

bool App::collect(Entry& entry, const http::Request& request, Body body, Block& room,
                  http::Exchange& exchange) {
  std::span<const FormValue> values;
  Result<void> collected;
  if (body.form != nullptr) {
    values = body.form->values();
  } else if (entry.body.kind == BodyKind::kForm && !body.bytes.empty()) {
    room = blocks_.take(body.bytes.size());
    collected =
        room ? read_urlencoded(entry.plan, body.bytes, {room.data(), room.capacity()}, form_values_)
             : fail(Errc::kNoMemory);
    values = form_values_;
  }
  if (collected) collected = entry.plan.collect(request, match_, arguments_, failures_, values);
  if (!collected) refuse(entry, collected.error(), request, exchange);
  return collected.has_value();
}

void App::validate(const Entry& entry, std::optional<json::Value> body) {
  entry.plan.validate(arguments_, validator_, failures_);
  if (!body || !entry.body_schema || validator_.validate(*entry.body_schema, *body)) return;
  failures_.add(validator_, nullptr, *body);
}

bool App::parse(Entry& entry, const http::Request& request, std::string_view body,
                std::optional<json::Value>& root, http::Exchange& exchange) {
  const BodyPlan& plan = entry.body;
  if (body.empty()) {
    if (plan.required) failures_.add_body(FailureKind::kMissing);
    return true;
  }
  const Result<json::Value> parsed = body_parser_.parse(plan, request, body);
  if (parsed) {
    root = *parsed;
    return true;
  }
  if (parsed.error() == Errc::kNoMemory) {
    exchange.abort(Errc::kNoMemory);
  } else if (parsed.error() == Errc::kHandlerFailed) {
    refuse(entry, {.status = 500, .detail = "The application failed."}, request, exchange);
  } else {
    refuse(entry, {.status = 400, .detail = body_parser_.complaint(body)}, request, exchange);
  }
  return false;
}

void App::refuse(std::uint16_t status, const http::Request& request,
                 http::Exchange& exchange) noexcept {
  answer_problem(exchange, {.status = status, .instance = request.path}, scratch_);
}

void App::refuse(Entry& entry, const Problem& problem, const http::Request& request,
                 http::Exchange& exchange, std::span<const http::Field> fields) noexcept {
  Problem told = problem;
  told.instance = request.path;
  if (entry.gate == nullptr) return answer_problem(exchange, told, scratch_, fields);
  scratch_.clear();
  write(told, scratch_);
  if (!scratch_.ok()) return exchange.abort(Errc::kNoMemory);
  authenticate(entry, request, exchange,
               {.status = told.status,
                .content_type = kProblemType,
                .body = scratch_.view(),
                .fields = fields});
}

void App::refuse(Entry& entry, Errc error, const http::Request& request,
                 http::Exchange& exchange) noexcept {
  if (entry.gate == nullptr || !is_told(error)) {
    return answer_problem(exchange, error, request.path, scratch_);
  }
  const Sentence detail{error};
  refuse(entry, {.status = info(error).http_status, .detail = detail.view()}, request, exchange);
}

}  // namespace tercel::api
