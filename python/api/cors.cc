#include "python/api/cors.h"

#include <array>
#include <span>

#include "python/api/fields.h"
#include "tercel/http/message.h"

namespace nb = nanobind;

namespace tercel::python::api {
namespace {

edge::CorsPolicy make_policy(edge::CorsOptions options) {
  if (const auto problem = edge::CorsPolicy::problem_of(options)) {
    throw nb::value_error(problem->c_str());
  }
  return edge::CorsPolicy{options};
}

void append(nb::list& headers, std::span<const http::Field> fields) {
  for (const http::Field& field : fields) {
    headers.append(to_pair(field.name, field.value));
  }
}

}  // namespace

PyCors::PyCors(std::vector<std::string> origins, std::vector<std::string> methods,
               std::vector<std::string> headers, std::vector<std::string> expose, bool credentials,
               bool private_network, std::uint32_t max_age)
    : policy_{make_policy({.origins = std::move(origins),
                           .methods = std::move(methods),
                           .headers = std::move(headers),
                           .expose = std::move(expose),
                           .max_age_seconds = max_age,
                           .credentials = credentials,
                           .private_network = private_network})} {}

nb::object PyCors::preflight(const nb::bytes& method, const nb::list& headers) const {
  const HeaderFields fields{headers};
  http::Request request;
  request.method = view_of(method);
  request.fields = fields.all();
  if (!edge::CorsPolicy::is_preflight(request)) return nb::none();
  std::array<http::Field, edge::CorsPolicy::kPreflightFieldsMax> into;
  nb::list answer;
  append(answer, policy_.preflight_fields(request, into));
  return nb::make_tuple(204, answer, nb::bytes("", 0));
}

nb::list PyCors::amend(const nb::bytes& origin, const nb::list& headers) const {
  edge::CorsPolicy::Room into;
  nb::list all{headers};
  const HeaderFields present{headers};
  append(all, policy_.fields(policy_.allow(view_of(origin)), present.all(), into));
  return all;
}

}  // namespace tercel::python::api
