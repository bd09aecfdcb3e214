#include "tercel/api/route.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "tercel/api/limits.h"
#include "tercel/route/template.h"

namespace tercel::api {
namespace {

route::Problem problem(const Route& route, const std::string& what) {
  return "The route " + route.method + " " + route.path + " " + what + ".";
}

Type type_of(route::ConverterKind kind) noexcept {
  switch (kind) {
    case route::ConverterKind::kInt:
      return Type::kInteger;
    case route::ConverterKind::kFloat:
      return Type::kNumber;
    default:
      return Type::kString;
  }
}

route::Problem check_each(const Route& route, const std::vector<Parameter>& parameters) {
  if (parameters.size() > kParametersMax) {
    return problem(route, "has more than 256 parameters");
  }
  for (auto at = parameters.begin(); at != parameters.end(); ++at) {
    const auto same = [at](const Parameter& other) {
      return other.in == at->in && other.name == at->name;
    };
    if (std::find_if(at + 1, parameters.end(), same) != parameters.end()) {
      return problem(route,
                     "has two " + std::string{name_of(at->in)} + " parameters '" + at->name + "'");
    }
  }
  return std::nullopt;
}

}  // namespace

route::Problem check_parameters(const Route& route) {
  if (auto wrong = check_each(route, route.parameters)) return wrong;
  const auto& asked = route.authenticator.parameters;
  const auto is_of_form = [](const Parameter& parameter) { return parameter.in == In::kForm; };
  if (std::any_of(asked.begin(), asked.end(), is_of_form)) {
    return problem(route, "takes what its authenticator asks for from a form");
  }
  return check_each(route, asked);
}

route::Problem plan_form(Route& route) {
  bool has_form = false;
  std::uint64_t bytes_max = kFormTextBytesMax + kFormRestBytesMax;
  for (const Parameter& parameter : route.parameters) {
    has_form = has_form || parameter.in == In::kForm;
    if (parameter.type != Type::kFile) continue;
    if (parameter.in != In::kForm) {
      return problem(route, "takes the file '" + parameter.name + "' from no form");
    }
    bytes_max += std::min(parameter.bytes_max, UINT64_MAX - bytes_max);
  }
  if (!has_form) return std::nullopt;
  if (route.body.kind == BodyKind::kNone) {
    route.body = {.kind = BodyKind::kForm, .bytes_max = bytes_max};
  } else if (route.body.kind != BodyKind::kForm) {
    return problem(route, "takes a form, and another body besides");
  }
  return std::nullopt;
}

route::Problem add_path_parameters(Route& route, route::UserConverters* users) {
  route::Template parsed;
  if (route::parse_template(route.path, users, parsed)) return std::nullopt;
  std::vector<Parameter> fields;
  for (const route::TemplateSegment& segment : parsed.segments) {
    for (const route::Field& field : segment.fields) {
      fields.push_back(
          {.name = field.name, .in = In::kPath, .type = type_of(field.converter.kind())});
    }
  }
  const auto has = [](const std::vector<Parameter>& all, const Parameter& wanted) {
    return std::any_of(all.begin(), all.end(), [&](const Parameter& one) {
      return one.in == In::kPath && one.name == wanted.name;
    });
  };
  for (const Parameter& parameter : route.parameters) {
    if (parameter.in == In::kPath && !has(fields, parameter)) {
      return problem(route, "has no field '" + parameter.name + "' in its path");
    }
  }
  for (Parameter& field : fields) {
    if (!has(route.parameters, field)) route.parameters.push_back(std::move(field));
  }
  return std::nullopt;
}

}  // namespace tercel::api
