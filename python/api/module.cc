// The module tercel._api: tercel.App's half in C++. Private. Loaded by the first tercel.App, so
// that a process that only serves has neither it nor what it is linked with.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "python/api/answer.h"
#include "python/api/converters.h"
#include "python/api/cors.h"
#include "python/api/encoder.h"
#include "python/api/file.h"
#include "python/api/instance.h"
#include "python/api/invocation.h"
#include "python/errors.h"
#include "python/traverse.h"
#include "tercel/api/credential_rule.h"
#include "tercel/api/negotiation.h"
#include "tercel/edge/mount_handler.h"
#include "tercel/edge/rate_rule.h"
#include "tercel/route/router_builder.h"
#include "tercel/schema/registry.h"

namespace nb = nanobind;

namespace tercel::python::api {
namespace {

// The templates of an application, as they are registered: finds those that contradict each other.
class Templates {
 public:
  // `converters`: a dict of the application's own, which it may fill later.
  explicit Templates(const nb::dict& converters) : converters_{converters.ptr()} {}

  void add(std::string_view method, std::string_view path, std::string_view name) {
    const route::Problem problem =
        builder_.add({.method = method, .path = path, .route = next_++, .name = name});
    if (problem) throw nb::value_error(problem->c_str());
  }
  // The names of a template's fields, each with the `convert` of its converter if that is the
  // application's own, else None.
  std::vector<std::pair<std::string, nb::object>> fields(std::string_view path) {
    route::Template parsed;
    const route::Problem problem = route::parse_template(path, &converters_, parsed);
    if (problem) throw nb::value_error(problem->c_str());
    std::vector<std::pair<std::string, nb::object>> names;
    for (const route::TemplateSegment& segment : parsed.segments) {
      for (const route::Field& field : segment.fields) {
        names.emplace_back(field.name, function_of(field.converter));
      }
    }
    return names;
  }

  int traverse(visitproc visit, void* arg) const { return converters_.traverse(visit, arg); }

 private:
  [[nodiscard]] nb::object function_of(const route::Converter& converter) const {
    if (converter.kind() != route::ConverterKind::kUser) return nb::none();
    return nb::borrow(converters_.function(converter.user_number()));
  }

  Converters converters_;
  route::RouterBuilder builder_{&converters_};
  route::RouteId next_ = 0;
};

// What is wrong with a JSON Schema; nothing: it can be compiled.
std::optional<std::string> check_schema(std::string_view text) {
  constexpr std::string_view kUri = "tercel:/schema";
  schema::Registry registry;
  if (registry.add(kUri, text) && registry.compile(kUri)) return std::nullopt;
  std::string reason = registry.fault().reason;
  const std::size_t at = reason.find(kUri);
  if (at != std::string::npos) reason.erase(at, kUri.size());  // The user has given it no URI.
  return reason;
}

// (place, name, scheme), as CredentialRule has them.
using Place = std::tuple<std::string, std::string, std::string>;

tercel::api::Credential credential_of(const Place& place) {
  const auto& [in, name, scheme] = place;
  using tercel::api::In;
  return {.in = in == "query"    ? In::kQuery
                : in == "cookie" ? In::kCookie
                                 : In::kHeader,
          .name = name,
          .scheme = scheme};
}

}  // namespace
}  // namespace tercel::python::api

NB_MODULE(_api, module) {
  using namespace tercel::python;
  namespace edge = tercel::edge;
#ifdef NDEBUG
  nb::set_leak_warnings(false);
#endif
  if (!api::init_door() || !api::init_answer() || !api::init_invocation()) throw_python_error();
  nb::class_<api::Templates>(module, "Templates", nb::type_slots(traversed<api::Templates>))
      .def(nb::init<nb::dict>(), nb::arg("converters"))
      .def("add", &api::Templates::add, nb::arg("method"), nb::arg("path"), nb::arg("name"),
           "Adds a route.")
      .def("fields", &api::Templates::fields, nb::arg("path"),
           "Returns the names of a template's fields, with the converters of the application's "
           "own.");
  api::bind_files(module);
  module.def("answers_by_itself", &api::answers_by_itself, nb::arg("app"),
             "Whether an application, once it is mounted, answers without Python.");
  module.def(
      "is_below",
      [](const nb::bytes& path, const nb::bytes& prefix) {
        return edge::is_below({path.c_str(), path.size()}, {prefix.c_str(), prefix.size()});
      },
      nb::arg("path"), nb::arg("prefix"),
      "Whether what answers by itself at a prefix would be asked for a path.");
  module.def("check_schema", &api::check_schema, nb::arg("text"),
             "Returns what is wrong with a JSON Schema, or None.");
  nb::class_<api::Encoder>(module, "Encoder")
      .def(nb::init<nb::object, nb::object, nb::object, nb::object>(), nb::arg("encode"),
           nb::arg("response_type"), nb::arg("file_type"), nb::arg("stream_type"))
      .def("answer", &api::Encoder::answer, nb::arg("result").none(), nb::arg("status"),
           nb::arg("method"), nb::arg("headers"), nb::arg("path") = nb::bytes(""),
           "Returns what a function returned as status, headers and body.");
  nb::class_<api::PyCors>(module, "Cors")
      .def(nb::init<std::vector<std::string>, std::vector<std::string>, std::vector<std::string>,
                    std::vector<std::string>, bool, bool, std::uint32_t>(),
           nb::arg("origins"), nb::arg("methods"), nb::arg("headers"), nb::arg("expose"),
           nb::arg("credentials"), nb::arg("private_network"), nb::arg("max_age"))
      .def("preflight", &api::PyCors::preflight, nb::arg("method"), nb::arg("headers"),
           "Returns the answer to a preflight as status, headers and body, or None: it is none.")
      .def("amend", &api::PyCors::amend, nb::arg("origin"), nb::arg("headers"),
           "Returns the header fields of an answer, with those of CORS.");
  nb::class_<edge::RateRule>(module, "Rate")
      .def(
          "__init__",
          [](edge::RateRule* place, std::uint32_t requests, double per, std::uint32_t burst,
             std::string header, std::size_t clients) {
            const std::chrono::duration<double> seconds{per};
            new (place) edge::RateRule{
                {.limit = {.requests = requests,
                           .per = std::chrono::duration_cast<std::chrono::nanoseconds>(seconds),
                           .burst = burst,
                           .clients_max = clients},
                 .header = std::move(header)}};
          },
          nb::arg("requests"), nb::arg("per"), nb::arg("burst"), nb::arg("header"),
          nb::arg("clients"));
  nb::class_<tercel::api::CredentialRule>(module, "Credentials")
      .def(
          "__init__",
          [](tercel::api::CredentialRule* place, const std::vector<api::Place>& any_of,
             std::string detail, std::vector<std::string> challenges) {
            tercel::api::CredentialRuleOptions options{.detail = std::move(detail),
                                                       .challenges = std::move(challenges)};
            for (const api::Place& one : any_of) {
              options.any_of.push_back(api::credential_of(one));
            }
            new (place) tercel::api::CredentialRule{std::move(options)};
          },
          nb::arg("any_of"), nb::arg("detail"), nb::arg("challenges"))
      .def("enable", &tercel::api::CredentialRule::set_enabled, nb::arg("enabled"),
           "Asks for them, or lets every request pass.");
  nb::class_<tercel::api::Negotiation>(module, "Negotiation")
      .def(nb::init<std::vector<std::string>>(), nb::arg("media_types"));
  nb::class_<api::Instance>(module, "Instance", nb::type_slots(traversed<api::Instance>))
      .def(nb::init<nb::object>(), nb::arg("app"))
      .def("begin", &api::Instance::begin, nb::arg("method"), nb::arg("path"), nb::arg("query"),
           nb::arg("headers"), nb::arg("body").none(), nb::arg("client").none() = nb::none(),
           nb::arg("again") = false,
           "Answers a request, or returns what is to be done for it (python/api/instance.h).")
      .def("find", &api::Instance::find, nb::arg("method"), nb::arg("path"),
           "Returns the number of the route of a request, or None.");
  module.attr("front") = api::make_front();
}
