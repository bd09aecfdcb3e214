#include "python/api/instance.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "python/api/buffer_exchange.h"
#include "python/api/cors.h"
#include "python/api/fields.h"
#include "python/asgi/open_door.h"
#include "python/errors.h"
#include "tercel/api/problem.h"
#include "tercel/base/parse_number.h"
#include "tercel/json/writer.h"
#include "tercel/net/syscalls.h"

namespace nb = nanobind;

namespace tercel::python::api {
namespace {

using tercel::api::In;
using tercel::api::Parameter;
using tercel::api::Type;

const asgi::Door* door = nullptr;

template <typename Value>
struct Named {
  std::string_view name;
  Value value;
};

template <typename Value, std::size_t count>
Value value_of(const std::array<Named<Value>, count>& known, std::string_view name) {
  for (const Named<Value>& one : known) {
    if (one.name == name) return one.value;
  }
  throw nb::value_error(("no such name: " + std::string{name}).c_str());
}

constexpr std::array<Named<In>, 5> kPlaces{{{"path", In::kPath},
                                            {"query", In::kQuery},
                                            {"header", In::kHeader},
                                            {"cookie", In::kCookie},
                                            {"form", In::kForm}}};
constexpr std::string_view kBytesOfFile = "bytes";
constexpr std::array<Named<Type>, 6> kTypes{{{"string", Type::kString},
                                             {"integer", Type::kInteger},
                                             {"number", Type::kNumber},
                                             {"boolean", Type::kBoolean},
                                             {"file", Type::kFile},
                                             {kBytesOfFile, Type::kFile}}};
constexpr std::array<Named<tercel::api::BodyKind>, 2> kBodies{
    {{"json", tercel::api::BodyKind::kJson}, {"bytes", tercel::api::BodyKind::kBytes}}};

Ref share(const nb::handle& object) {
  return Ref::share(object.ptr());
}

// None stands for nothing.
Ref share_known(const nb::handle& object) {
  return object.is_none() ? Ref{} : share(object);
}

// A default, in a tuple of its own so that None may be one; an empty tuple: there is none.
Ref share_fallback(const nb::handle& object) {
  const auto tuple = nb::cast<nb::tuple>(object);
  return nb::len(tuple) == 0 ? Ref{} : share(tuple[0]);
}

// (name, in, type, required, array, separator, fallback, convert, schema, bytes_max)
Parameter read_parameter(const nb::tuple& one, Argument& argument) {
  const auto separator = nb::cast<std::string>(one[5]);
  const auto type = nb::cast<std::string>(one[2]);
  Parameter parameter{.name = nb::cast<std::string>(one[0]),
                      .in = value_of(kPlaces, nb::cast<std::string>(one[1])),
                      .type = value_of(kTypes, type),
                      .required = nb::cast<bool>(one[3]),
                      .array = nb::cast<bool>(one[4]),
                      .separator = separator.empty() ? '\0' : separator[0],
                      .schema = nb::cast<std::string>(one[8]),
                      .bytes_max = nb::cast<std::uint64_t>(one[9])};
  argument.fallback = share_fallback(one[6]);
  argument.convert = share_known(one[7]);
  argument.is_float = parameter.type == Type::kNumber && !argument.convert;
  argument.is_file = parameter.type == Type::kFile;
  argument.wish = {.array = parameter.array, .as_bytes = type == kBytesOfFile};
  return parameter;
}

bool is_of_form(const Parameter& parameter) {
  return parameter.in == In::kForm;
}

// (prefix, folder, index, headers)
edge::FileMount read_folder(const nb::tuple& one) {
  edge::FileMount mount{.prefix = nb::cast<std::string>(one[0]),
                        .folder = std::string{view_of(nb::cast<nb::bytes>(one[1]))},
                        .index = nb::cast<bool>(one[2]),
                        .missing = edge::Missing::kPassedOn};
  for (const nb::handle pair : nb::cast<nb::list>(one[3])) {
    const auto field = nb::cast<nb::tuple>(pair);
    mount.fields.emplace_back(nb::cast<std::string>(field[0]), nb::cast<std::string>(field[1]));
  }
  return mount;
}

// What a request says of a body that is not there yet.
std::optional<std::uint64_t> declared_length(std::span<const http::Field> fields) {
  const http::Field* const field = http::find_field(fields, "content-length");
  const auto length = field != nullptr ? parse_decimal(field->value) : fail(Errc::kNotANumber);
  return length ? std::optional{*length} : std::nullopt;
}

const asgi::Front* mountable(PyObject* app) noexcept {
  const asgi::Front* const front = door->front(app);
  return front != nullptr && front->mount != nullptr ? front : nullptr;
}

// Of which request it was is not known any more.
void refuse_mounted(http::Exchange& exchange, Errc error,
                    std::span<const http::Field> fields) noexcept {
  tercel::api::refuse_with_problem(exchange, {}, error, fields);
}

class Front final : public http::Handler {
 public:
  Front(PyObject* app, asgi::AsgiHandler& inner) {
    auto made = std::make_unique<Instance>(nb::borrow(app));
    owner_ = Ref::steal(PyCapsule_New(made.get(), nullptr, &destroy));
    if (!owner_) throw nb::python_error{};
    instance_ = made.release();
    instance_->serve(inner, owner_.get(), mount_all(door->loop(inner)));
  }
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    instance_->handler().handle(request, exchange);
  }

 private:
  static void destroy(PyObject* owner) noexcept {
    delete static_cast<Instance*>(PyCapsule_GetPointer(owner, nullptr));
  }
  // Nothing, if all that is mounted is called through Python.
  std::vector<edge::Mount> mount_all(net::Loop& loop) {
    std::vector<edge::Mount> mounts;
    for (const auto& [prefix, app] : instance_->mounted()) {
      edge::Mount& mount = mounts.emplace_back(edge::Mount{.prefix = prefix});
      const asgi::Front* const front = mountable(app.ptr());
      if (front == nullptr) continue;
      asgi::Mounted made = front->mount(app.ptr(), loop, &refuse_mounted);
      if (made.handler == nullptr) throw nb::python_error{};
      mount.handler = made.handler.get();
      if (!made.takes_prefix_off) mount.taken = edge::Mount::Prefix::kStays;
      mounted_.push_back(std::move(made.handler));
    }
    if (mounted_.empty()) mounts.clear();
    return mounts;
  }

  Ref owner_;
  Instance* instance_;  // The owner's, which may outlive the loop.
  std::vector<std::unique_ptr<http::Handler>> mounted_;
};

std::unique_ptr<http::Handler> make(PyObject* app, asgi::AsgiHandler& inner) noexcept {
  try {
    return std::make_unique<Front>(app, inner);
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

constinit asgi::Front the_front{.make = make};

}  // namespace

void Instance::Nothing::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  BlockPool blocks;
  json::Writer scratch{blocks};
  tercel::api::answer_problem(exchange, {.status = 404, .instance = request.path}, scratch);
}

bool init_door() noexcept {
  door = asgi::open_door();
  return door != nullptr;
}

bool answers_by_itself(const nb::object& app) {
  return mountable(app.ptr()) != nullptr;
}

nb::object make_front() {
  return nb::steal(PyCapsule_New(&the_front, asgi::Front::kCapsule, nullptr));
}

Instance::Instance(nb::object app) : owner_{std::move(app)} {
  read_specification(nb::cast<nb::dict>(owner_.attr("_specification")()));
  if (const auto problem = app_.freeze()) throw nb::value_error(problem->c_str());
}

void Instance::read_specification(const nb::dict& specification) {
  encoder_ = specification["encoder"];
  converters_.set_classes(nb::object(specification["converters"]).ptr());
  all_through_python_ = nb::cast<bool>(specification["all_through_python"]);
  unrouted_through_python_ = nb::cast<bool>(specification["unrouted_through_python"]);
  request_type_ = specification["request_type"];
  upload_type_ = specification["upload_type"];
  spool_type_ = specification["spool_type"];
  refusal_type_ = specification["refusal_type"];
  answer_raised_ = specification["answer_raised"];
  failed_ = specification["failed"];
  cors_object_ = specification["cors"];
  around_ = {.owner = nullptr,
             .encoding = nb::cast<const Encoder&>(encoder_).encoding(),
             .request_type = request_type_.ptr(),
             .upload_type = upload_type_.ptr(),
             .spool_type = spool_type_.ptr(),
             .refusal_type = refusal_type_.ptr(),
             .answer_raised = answer_raised_.ptr(),
             .failed = failed_.ptr(),
             .door = door};
  for (const nb::handle one : nb::cast<nb::list>(specification["media_readers"])) {
    const auto reader = nb::cast<nb::tuple>(one);
    media_.add(nb::cast<std::string>(reader[0]), share(reader[1]));
  }
  if (!media_.empty()) app_.set_media_readers(&media_);
  for (const nb::handle folder : nb::cast<nb::list>(specification["static"])) {
    folders_.push_back(read_folder(nb::cast<nb::tuple>(folder)));
  }
  for (const nb::handle one : nb::cast<nb::list>(specification["mounts"])) {
    const auto mount = nb::cast<nb::tuple>(one);
    mounted_.emplace_back(nb::cast<std::string>(mount[0]), mount[1]);
  }
  socket_paths_ = nb::cast<std::vector<std::string>>(specification["websockets"]);
  app_.set_spool_directory(nb::cast<std::string>(specification["spool_directory"]));
  for (const nb::handle route : nb::iter(specification["routes"])) {
    add(nb::cast<nb::tuple>(route));
  }
}

// (method, path, name, parameters, body, names, function, is_async, takes_request, status, rate,
// demands, through_python, authenticator, negotiation or None, strict),
// where body is None or (kind, required, bytes_max, fallback, convert, schema, shape, unique_keys,
// msgpack), and authenticator is None or as read_authenticator() has it.
void Instance::add(const nb::tuple& route) {
  PyEndpoint::Options options{.route = static_cast<std::uint32_t>(endpoints_.size()),
                              .status = nb::cast<std::uint16_t>(route[9]),
                              .is_async = nb::cast<bool>(route[7])};
  tercel::api::Route made{.method = nb::cast<std::string>(route[0]),
                          .path = nb::cast<std::string>(route[1]),
                          .name = nb::cast<std::string>(route[2])};
  if (!route[10].is_none()) {
    rules_.push_back(route[10]);
    made.rate = nb::cast<edge::RateRule*>(route[10]);
  }
  made.passed_on = nb::cast<bool>(route[12]);
  made.demands = read_demands(nb::cast<nb::list>(route[11]));
  for (const nb::handle one : nb::cast<nb::list>(route[3])) {
    options.arguments.emplace_back();
    made.parameters.push_back(read_parameter(nb::cast<nb::tuple>(one), options.arguments.back()));
  }
  if (!route[4].is_none()) {
    const auto body = nb::cast<nb::tuple>(route[4]);
    made.body = {.kind = value_of(kBodies, nb::cast<std::string>(body[0])),
                 .required = nb::cast<bool>(body[1]),
                 .unique_keys = nb::cast<bool>(body[7]),
                 .msgpack = nb::cast<bool>(body[8]),
                 .bytes_max = nb::cast<std::uint64_t>(body[2]),
                 .schema = nb::cast<std::string>(body[5])};
    options.takes_body = true;
    options.body.fallback = share_fallback(body[3]);
    options.body.convert = share_known(body[4]);
    if (!body[6].is_none()) options.shape = Shape{nb::cast<nb::list>(body[6])};
  }
  options.takes_request = nb::cast<bool>(route[8]);
  if (!route[14].is_none()) {
    rules_.push_back(route[14]);
    made.negotiation = nb::cast<const tercel::api::Negotiation*>(route[14]);
    made.strict = nb::cast<bool>(route[15]);
    options.takes_media_type = true;
  }
  const bool has_form = std::any_of(made.parameters.begin(), made.parameters.end(), is_of_form);
  if (options.takes_request && !options.takes_body && !has_form) {
    made.body = {.kind = tercel::api::BodyKind::kBytes, .required = false};
  }
  auto endpoint =
      std::make_unique<PyEndpoint>(around_, share(route[6]), share(route[5]), std::move(options));
  endpoints_.push_back(endpoint.get());
  if (!route[13].is_none()) {
    auto [authenticator, asked] = read_authenticator(nb::cast<nb::tuple>(route[13]));
    endpoint->set_authenticator(asked);
    made.authenticator = std::move(authenticator);
  }
  made.endpoint = std::move(endpoint);
  if (const auto problem = app_.add(std::move(made))) throw nb::value_error(problem->c_str());
}

std::vector<tercel::api::Demand> Instance::read_demands(const nb::list& demands) {
  std::vector<tercel::api::Demand> made;
  for (const nb::handle one : demands) {
    const auto demand = nb::cast<nb::tuple>(one);
    rules_.push_back(demand[0]);
    made.push_back({.rule = nb::cast<const tercel::api::CredentialRule*>(demand[0])});
    if (demand[1].is_none()) continue;
    PyEndpoint::Options options{.is_async = nb::cast<bool>(demand[2]), .is_refusal = true};
    auto endpoint = std::make_unique<PyEndpoint>(around_, share(demand[1]),
                                                 Ref::steal(PyTuple_New(0)), std::move(options));
    refusals_.push_back(endpoint.get());
    made.back().refused = std::move(endpoint);
  }
  return made;
}

std::pair<tercel::api::Authenticator, PyEndpoint*> Instance::read_authenticator(
    const nb::tuple& authenticator) {
  PyEndpoint::Options options{.route = static_cast<std::uint32_t>(endpoints_.size() - 1),
                              .is_async = nb::cast<bool>(authenticator[3]),
                              .is_authenticator = true};
  tercel::api::Authenticator made;
  for (const nb::handle one : nb::cast<nb::list>(authenticator[0])) {
    options.arguments.emplace_back();
    made.parameters.push_back(read_parameter(nb::cast<nb::tuple>(one), options.arguments.back()));
  }
  auto endpoint = std::make_unique<PyEndpoint>(around_, share(authenticator[2]),
                                               share(authenticator[1]), std::move(options));
  PyEndpoint* const asked = endpoint.get();
  refusals_.push_back(asked);
  made.endpoint = std::move(endpoint);
  return {std::move(made), asked};
}

void Instance::serve(asgi::AsgiHandler& inner, PyObject* owner, std::vector<edge::Mount> mounts) {
  around_.owner = owner;
  if (all_through_python_) handler_ = door->handler(inner);
  app_.set_passed_on(door->handler(inner));
  app_.set_unrouted(unrouted(*door->handler(inner), std::move(mounts)));
  if (!cors_object_.is_none()) {
    cors_.emplace(*handler_, nb::cast<const PyCors&>(cors_object_).policy());
    handler_ = &*cors_;
  }
  for (PyEndpoint* endpoint : endpoints_) endpoint->set_handler(&inner);
  for (PyEndpoint* endpoint : refusals_) endpoint->set_handler(&inner);
  http::Handler* sockets = door->handler(inner);
  if (mounts_) sockets = &sockets_.emplace(socket_paths_, &converters_, *sockets, *mounts_);
  app_.set_websockets(sockets);
}

http::Handler* Instance::unrouted(http::Handler& inner, std::vector<edge::Mount> mounts) {
  if (!unrouted_through_python_ && mounts.empty() && folders_.empty()) return nullptr;
  http::Handler* last = &nothing_;
  if (unrouted_through_python_) last = &inner;
  if (!mounts.empty()) last = &mounts_.emplace(*last, std::move(mounts));
  return files_before(*last);
}

http::Handler* Instance::files_before(http::Handler& inner) {
  if (folders_.empty()) return &inner;
  if (!files_) {
    files_.emplace(inner, net::system_calls(), folders_, &tercel::api::refuse_with_problem);
  }
  return &*files_;
}

nb::object Instance::begin(const nb::bytes& method, const nb::bytes& path, const nb::bytes& query,
                           const nb::list& headers, const std::optional<nb::bytes>& body,
                           const std::optional<std::string>& client, bool again) {
  const HeaderFields fields{headers};
  http::Request request;
  request.method = view_of(method);
  request.path = view_of(path);
  request.query = view_of(query);
  request.fields = fields.all();
  Result<Address> address = fail(Errc::kAddressInvalid);
  if (client) address = parse_ip(*client, 0);
  if (address) request.client = &*address;
  using Counting = tercel::api::App::Counting;
  app_.set_counting(again ? Counting::kNo : Counting::kYes);
  std::optional<std::string_view> bytes;
  if (body) {
    bytes = view_of(*body);
    request.content_length = bytes->size();
    request.has_body = !bytes->empty();
  } else {
    // Not every server says whether there is one.
    request.content_length = declared_length(fields.all());
    request.has_body = true;
  }

  BufferExchange exchange{bytes};
  portable_ = {};
  for (PyEndpoint* endpoint : endpoints_) endpoint->set_portable(&portable_);
  for (PyEndpoint* endpoint : refusals_) endpoint->set_portable(&portable_);
  unrouted_.forget();
  app_.set_unrouted(files_before(unrouted_));
  app_.handle(request, exchange);
  if (portable_.raised) {
    restore_raised(std::move(portable_.raised));
    throw_python_error();
  }
  if (portable_.refusal) return nb::make_tuple(nb::steal(portable_.refusal.release()));
  if (unrouted_.came()) return nb::none();
  if (exchange.needs_body()) return nb::bool_(true);
  if (portable_.arguments) {
    const auto route = static_cast<std::int64_t>(portable_.route);
    return nb::make_tuple(portable_.is_authenticator ? -1 - route : route,
                          nb::steal(portable_.arguments.release()));
  }
  return to_tuple(exchange);
}

std::optional<std::uint32_t> Instance::find(std::string_view method, std::string_view path) {
  return app_.find(method, path);
}

int Instance::traverse(visitproc visit, void* arg) const {
  Py_VISIT(owner_.ptr());
  Py_VISIT(encoder_.ptr());
  if (const int stopped = converters_.traverse(visit, arg)) return stopped;
  if (const int stopped = media_.traverse(visit, arg)) return stopped;
  Py_VISIT(answer_raised_.ptr());
  Py_VISIT(failed_.ptr());
  for (const MountedApp& one : mounted_) Py_VISIT(one.second.ptr());
  for (const PyEndpoint* endpoint : endpoints_) {
    if (const int stopped = endpoint->traverse(visit, arg)) return stopped;
  }
  for (const PyEndpoint* endpoint : refusals_) {
    if (const int stopped = endpoint->traverse(visit, arg)) return stopped;
  }
  return 0;
}

}  // namespace tercel::python::api
