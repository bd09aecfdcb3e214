#include "tercel/api/request_plan.h"

#include <algorithm>
#include <utility>

#include "tercel/api/convert.h"
#include "tercel/http/cookies.h"
#include "tercel/http/query.h"
#include "tercel/json/scalar.h"

namespace tercel::api {
namespace {

// An element of a list: in header fields, blanks around it are none of it (RFC 9110 section 5.6.1).
std::string_view element_of(const Parameter& array, std::string_view text) noexcept {
  if (array.in != In::kHeader) return text;
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return text.substr(0, 0);
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

constexpr std::uint32_t kNoCapture = ~std::uint32_t{0};

std::uint32_t capture_of(const Parameter& parameter, std::span<const route::Field> fields) {
  if (parameter.in != In::kPath) return kNoCapture;
  const auto named = [&](const route::Field& field) { return field.name == parameter.name; };
  const auto found = std::find_if(fields.begin(), fields.end(), named);
  return found == fields.end() ? kNoCapture : static_cast<std::uint32_t>(found - fields.begin());
}

}  // namespace

Result<schema::Program> compile_schema(schema::Registry& registry, const std::string& uri,
                                       std::string_view text) {
  if (auto added = registry.add(uri, text); !added) return fail(added.error());
  return registry.compile(uri);
}

void Arguments::clear(std::size_t parameters) {
  texts_.assign(parameters, std::string_view{});
  places_.assign(parameters, kAbsent);
  refused_.clear();
  given_.clear();
  nodes_.clear();
}

json::Node* Arguments::scalar_room() {
  nodes_.resize(nodes_.size() + json::kScalarNodesMax);
  return nodes_.data() + nodes_.size() - json::kScalarNodesMax;
}

void Arguments::commit(std::uint32_t parameter) noexcept {
  places_[parameter] = static_cast<std::uint32_t>(nodes_.size() - json::kScalarNodesMax);
}

RequestPlan::RequestPlan(std::vector<Parameter> parameters, std::span<const route::Field> fields)
    : parameters_{std::move(parameters)},
      query_{names_in(In::kQuery)},
      headers_{names_in(In::kHeader)},
      cookies_{names_in(In::kCookie)},
      form_{names_in(In::kForm)} {
  for (const Parameter& parameter : parameters_) {
    captures_.push_back(capture_of(parameter, fields));
  }
}

RequestPlan::Names RequestPlan::names_in(In in) const {
  Names names;
  for (std::uint32_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].in == in) names.push_back({parameters_[i].name, i});
  }
  std::sort(names.begin(), names.end(),
            [](const Name& a, const Name& b) { return a.name < b.name; });
  return names;
}

const RequestPlan::Name* RequestPlan::find(const Names& names, std::string_view name) noexcept {
  const auto found = std::lower_bound(
      names.begin(), names.end(), name,
      [](const Name& known, std::string_view asked) { return known.name < asked; });
  return found != names.end() && found->name == name ? &*found : nullptr;
}

std::optional<std::uint32_t> RequestPlan::find_form(std::string_view name) const noexcept {
  const Name* const found = find(form_, name);
  return found != nullptr ? std::optional{found->parameter} : std::nullopt;
}

Result<void> RequestPlan::collect(const http::Request& request, const route::Match& match,
                                  Arguments& arguments, Failures& failures,
                                  std::span<const FormValue> form) const {
  arguments.clear(parameters_.size());
  take_path(match, arguments);
  if (!query_.empty()) {
    if (auto taken = take_query(request.query, arguments); !taken) return taken;
  }
  if (!headers_.empty()) take_headers(request.fields, arguments);
  if (!cookies_.empty()) {
    if (auto taken = take_cookies(request.fields, arguments); !taken) return taken;
  }
  take_form(form, arguments, failures);
  for (std::uint32_t i = 0; i < parameters_.size() && !failures.full(); ++i) {
    if (parameters_[i].array) {
      convert_array(i, arguments, failures);
    } else {
      convert_scalar(i, arguments, failures);
    }
  }
  return {};
}

route::Problem RequestPlan::compile(schema::Registry& registry, const std::string& uri) {
  for (std::uint32_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& parameter = parameters_[i];
    if (parameter.schema.empty()) continue;
    auto program = compile_schema(registry, uri + "/" + std::to_string(i), parameter.schema);
    if (!program) {
      return "The schema of the " + std::string{name_of(parameter.in)} + " parameter '" +
             parameter.name + "' is none: " + registry.fault().reason + ".";
    }
    checks_.push_back({i, *std::move(program)});
  }
  return std::nullopt;
}

void RequestPlan::validate(const Arguments& arguments, schema::Validator& validator,
                           Failures& failures) const {
  for (const Check& check : checks_) {
    if (!arguments.has(check.parameter)) continue;
    const json::Value value = arguments.value(check.parameter);
    if (validator.validate(check.program, value)) continue;
    failures.add(validator, &parameters_[check.parameter], value);
  }
}

// --- which texts were given

void RequestPlan::give(std::uint32_t parameter, std::string_view text, Arguments& arguments) const {
  const Parameter& wanted = parameters_[parameter];
  if (!wanted.array) {
    // Not given is a text without an address.
    arguments.texts_[parameter] = text.data() != nullptr ? text : std::string_view{""};
    return;
  }
  if (text.empty()) {
    // Of none there is nothing to separate: an array without elements is a text without an address.
    const bool none = wanted.separator != '\0';
    return arguments.given_.push_back({parameter, none ? std::string_view{} : ""});
  }
  while (wanted.separator != '\0') {
    const std::size_t end = text.find(wanted.separator);
    if (end == text.npos) break;
    arguments.given_.push_back({parameter, element_of(wanted, text.substr(0, end))});
    text.remove_prefix(end + 1);
  }
  arguments.given_.push_back({parameter, element_of(wanted, text)});
}

void RequestPlan::take_path(const route::Match& match, Arguments& arguments) const {
  for (std::uint32_t i = 0; i < parameters_.size(); ++i) {
    if (captures_[i] != kNoCapture) give(i, match.captures()[captures_[i]].text, arguments);
  }
}

Result<void> RequestPlan::take_query(std::string_view query, Arguments& arguments) const {
  if (arguments.decoded_.size() < query.size()) arguments.decoded_.resize(query.size());
  http::QueryPairs pairs{query, arguments.decoded_};
  http::QueryPair pair;
  for (;;) {
    const Result<bool> more = pairs.next(pair);
    if (!more) return fail(more.error());
    if (!*more) return {};
    if (const Name* name = find(query_, pair.name)) give(name->parameter, pair.value, arguments);
  }
}

void RequestPlan::take_headers(std::span<const http::Field> fields, Arguments& arguments) const {
  for (const http::Field& field : fields) {
    const Name* const name = find(headers_, field.name);
    if (name == nullptr) continue;
    const bool first = arguments.texts_[name->parameter].data() == nullptr;
    if (first || parameters_[name->parameter].array) give(name->parameter, field.value, arguments);
  }
}

Result<void> RequestPlan::take_cookies(std::span<const http::Field> fields,
                                       Arguments& arguments) const {
  http::Cookies cookies{fields};
  http::Cookie cookie;
  for (;;) {
    const Result<bool> more = cookies.next(cookie);
    if (!more) return fail(more.error());
    if (!*more) return {};
    const Name* const name = find(cookies_, cookie.name);
    if (name == nullptr) continue;
    const bool first = arguments.texts_[name->parameter].data() == nullptr;
    if (first || parameters_[name->parameter].array) give(name->parameter, cookie.value, arguments);
  }
}

void RequestPlan::take_form(std::span<const FormValue> form, Arguments& arguments,
                            Failures& failures) const {
  for (const FormValue& value : form) {
    const Parameter& wanted = parameters_[value.parameter];
    const bool is_file = value.kind == FormValue::Kind::kFile;
    const bool wants_file = wanted.type == Type::kFile;
    if (value.kind == FormValue::Kind::kText && value.text.empty()) {
      if (!wanted.array || wants_file) continue;
    }
    if (is_file == wants_file) {
      give(value.parameter, value.text, arguments);
      continue;
    }
    const auto kind = is_file ? FailureKind::kNotAText : FailureKind::kNotAFile;
    failures.add(kind, wanted, is_file ? std::string_view{} : value.text);
    arguments.refused_.push_back(value.parameter);
  }
}

// --- from texts to values

void RequestPlan::add_missing(std::uint32_t parameter, const Arguments& arguments,
                              Failures& failures) const {
  if (!parameters_[parameter].required) return;
  // What was refused is told already.
  const auto& refused = arguments.refused_;
  if (std::find(refused.begin(), refused.end(), parameter) != refused.end()) return;
  failures.add_missing(parameters_[parameter]);
}

void RequestPlan::convert_scalar(std::uint32_t parameter, Arguments& arguments,
                                 Failures& failures) const {
  const Parameter& wanted = parameters_[parameter];
  const std::string_view text = arguments.texts_[parameter];
  if (text.data() == nullptr) return add_missing(parameter, arguments, failures);
  json::Node* const room = arguments.scalar_room();
  if (const auto failure = convert(wanted.type, text, room)) {
    failures.add(*failure, wanted, text);
  } else {
    arguments.commit(parameter);
  }
}

void RequestPlan::convert_array(std::uint32_t parameter, Arguments& arguments,
                                Failures& failures) const {
  const Parameter& wanted = parameters_[parameter];
  const std::size_t head = arguments.nodes_.size();
  std::size_t count = 0;
  bool is_given = false;
  bool is_right = true;
  arguments.nodes_.resize(head + 1);
  for (const Arguments::Given& given : arguments.given_) {
    if (given.parameter != parameter || failures.full()) continue;
    is_given = true;
    if (given.text.data() == nullptr) continue;
    json::Node* const room = arguments.scalar_room();
    if (const auto failure = convert(wanted.type, given.text, room)) {
      failures.add(*failure, wanted, given.text);
      is_right = false;
      continue;
    }
    // Most take one node: the elements of an array stand side by side.
    arguments.nodes_.resize(arguments.nodes_.size() - json::kScalarNodesMax + room->step);
    ++count;
  }
  const std::size_t nodes = arguments.nodes_.size() - head - 1;
  if (!is_given) add_missing(parameter, arguments, failures);
  // What was not understood is not held against a schema, too.
  if (!is_given || !is_right) return arguments.nodes_.resize(head);
  json::make_array(arguments.nodes_.data() + head, count, nodes);
  arguments.places_[parameter] = static_cast<std::uint32_t>(head);
}

}  // namespace tercel::api
