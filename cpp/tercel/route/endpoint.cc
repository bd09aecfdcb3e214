#include "tercel/route/endpoint.h"

#include <algorithm>
#include <utility>

#include "tercel/base/assert.h"

namespace tercel::route {

Endpoint::Endpoint(Template parsed) : path_{std::move(parsed.text)} {
  for (TemplateSegment& segment : parsed.segments) {
    std::move(segment.fields.begin(), segment.fields.end(), std::back_inserter(fields_));
  }
}

std::optional<RouteId> Endpoint::route(std::string_view method) const noexcept {
  if (const auto known = parse_method(method)) return route(*known);
  const auto verb = std::find_if(verbs_.begin(), verbs_.end(),
                                 [&](const Verb& each) { return each.method == method; });
  if (verb == verbs_.end()) return std::nullopt;
  return verb->route;
}

std::optional<RouteId> Endpoint::route(Method method) const noexcept {
  if (!methods_.has(method)) return std::nullopt;
  return known_[static_cast<std::size_t>(method)];
}

std::string Endpoint::allow(MethodSet implied) const {
  std::string out;
  const auto append = [&](std::string_view method) {
    if (!out.empty()) out += ", ";
    out += method;
  };
  for (std::size_t i = 0; i < kMethodNames.size(); ++i) {
    const auto method = static_cast<Method>(i);
    if (methods_.has(method) || implied.has(method)) append(name_of(method));
  }
  for (const Verb& verb : verbs_) {
    if (!parse_method(verb.method)) append(verb.method);
  }
  return out;
}

void Endpoint::add(Verb verb) {
  TERCEL_ASSERT(!route(verb.method));
  if (const auto known = parse_method(verb.method)) {
    methods_.add(*known);
    known_[static_cast<std::size_t>(*known)] = verb.route;
  }
  verbs_.push_back(std::move(verb));
}

}  // namespace tercel::route
