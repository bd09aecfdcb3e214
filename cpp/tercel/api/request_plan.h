// What a route takes from a request, worked out when it is registered: nothing is looked up by name
// in a table of routes, types or functions when a request comes.
//
//   RequestPlan plan{parameters, endpoint.fields()};
//   plan.collect(request, match, arguments, failures);
//   for (std::size_t i = 0; i < parameters.size(); ++i) {
//     if (arguments.has(i)) use(arguments.value(i));
//   }
//
// A parameter that is given several times and is no array has the last text of a query or a form,
// and the first of cookies (http/cookies.h) and header fields. An empty text is an array of one
// empty element, or of none where elements are separated. Names of queries, cookies and paths are
// case-sensitive. What nobody asks for is not looked at.
//
// A plan moves, and is not copied; collect() may run on any thread with Arguments of its own. Cost:
// linear in the parts of the request that have parameters, times the logarithm of the number of
// those. Tested by request_plan_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/api/failures.h"
#include "tercel/api/parameter.h"
#include "tercel/base/result.h"
#include "tercel/http/message.h"
#include "tercel/json/node.h"
#include "tercel/json/value.h"
#include "tercel/route/match.h"
#include "tercel/route/problem.h"
#include "tercel/schema/program.h"
#include "tercel/schema/registry.h"
#include "tercel/schema/validator.h"

namespace tercel::api {

// Reads a schema and compiles it. Fails as the registry does, whose fault() says why.
[[nodiscard]] Result<schema::Program> compile_schema(schema::Registry& registry,
                                                     const std::string& uri, std::string_view text);

// What a form has for a parameter. A view.
struct FormValue {
  enum class Kind : std::uint8_t {
    kText,
    kDroppedText,  // Of a file: not empty, and not kept.
    kFile          // Its name is the text.
  };
  std::uint32_t parameter;
  std::string_view text;
  Kind kind = Kind::kText;
};

// The values of one request's parameters. A resource: used again and again; its memory grows to
// what the largest request needs.
class Arguments {
 public:
  Arguments() = default;
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  // `index`: of the parameter in its plan. Valid until the next collect(), as long as the request.
  [[nodiscard]] bool has(std::size_t index) const noexcept { return places_[index] != kAbsent; }
  // REQUIRES: has(index).
  [[nodiscard]] json::Value value(std::size_t index) const noexcept {
    return json::Value{nodes_.data() + places_[index]};
  }
  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }

 private:
  friend class RequestPlan;
  static constexpr std::uint32_t kAbsent = ~std::uint32_t{0};

  // A text that was given for an array; without an address: no element.
  struct Given {
    std::uint32_t parameter;
    std::string_view text;
  };

  void clear(std::size_t parameters);
  // Room for a scalar behind the nodes there are; commit() keeps what was written into it.
  [[nodiscard]] json::Node* scalar_room();
  void commit(std::uint32_t parameter) noexcept;

  std::vector<std::string_view> texts_;  // Of scalars, by parameter; null: not given.
  std::vector<std::uint32_t> refused_;   // Given as a file for a text, or the other way round.
  std::vector<Given> given_;
  std::vector<std::uint32_t> places_;  // In nodes_, by parameter.
  std::vector<json::Node> nodes_;
  std::vector<char> decoded_;  // Of the query.
};

class RequestPlan {
 public:
  // `fields` are those of the route's template; each path parameter is one of them.
  RequestPlan(std::vector<Parameter> parameters, std::span<const route::Field> fields);
  RequestPlan(RequestPlan&&) noexcept = default;
  RequestPlan& operator=(RequestPlan&&) noexcept = default;

  [[nodiscard]] std::span<const Parameter> parameters() const noexcept { return parameters_; }

  // Compiles the schemas, which `registry` knows by `uri` and their number from then on. Returns a
  // sentence about the first that is none.
  [[nodiscard]] route::Problem compile(schema::Registry& registry, const std::string& uri);
  // Adds what the schemas of parameters have against `arguments`. Throws std::bad_alloc.
  void validate(const Arguments& arguments, schema::Validator& validator, Failures& failures) const;

  // Fills `arguments`, and adds to `failures` what is wrong. Fails with what a request as a whole
  // is refused for: kBadQuery, kTooManyPairs, kTooManyCookies. `form`: in the order of its parts.
  // Throws std::bad_alloc.
  [[nodiscard]] Result<void> collect(const http::Request& request, const route::Match& match,
                                     Arguments& arguments, Failures& failures,
                                     std::span<const FormValue> form = {}) const;
  // The parameter that a form calls so.
  [[nodiscard]] std::optional<std::uint32_t> find_form(std::string_view name) const noexcept;

 private:
  // A name, and the parameter that has it. In the order of the names.
  struct Name {
    std::string_view name;
    std::uint32_t parameter;
  };
  using Names = std::vector<Name>;

  [[nodiscard]] Names names_in(In in) const;
  // The parameter of that name, or null.
  [[nodiscard]] static const Name* find(const Names& names, std::string_view name) noexcept;

  // One function a place: which texts were given.
  void take_path(const route::Match& match, Arguments& arguments) const;
  [[nodiscard]] Result<void> take_query(std::string_view query, Arguments& arguments) const;
  void take_headers(std::span<const http::Field> fields, Arguments& arguments) const;
  [[nodiscard]] Result<void> take_cookies(std::span<const http::Field> fields,
                                          Arguments& arguments) const;
  void take_form(std::span<const FormValue> form, Arguments& arguments, Failures& failures) const;
  void give(std::uint32_t parameter, std::string_view text, Arguments& arguments) const;

  // From texts to values.
  void add_missing(std::uint32_t parameter, const Arguments& arguments, Failures& failures) const;
  void convert_scalar(std::uint32_t parameter, Arguments& arguments, Failures& failures) const;
  void convert_array(std::uint32_t parameter, Arguments& arguments, Failures& failures) const;

  // Of a parameter that has one.
  struct Check {
    std::uint32_t parameter;
    schema::Program program;
  };

  std::vector<Parameter> parameters_;
  std::vector<Check> checks_;
  std::vector<std::uint32_t> captures_;  // Of path parameters: which capture; else kNoCapture.
  Names query_;
  Names headers_;
  Names cookies_;
  Names form_;
};

}  // namespace tercel::api
