// Registration of routes: templates and methods, checked against each other, compiled to a Router.
//
// Templates with the same fields at the same places are one endpoint, and their methods merge, in
// whatever order they come. What cannot be told apart is a problem, which names both templates:
// - two plain fields at one place that differ in name or converter;
// - two mixed segments at one place with the same literals whose fields differ in either;
// - two `path` fields at one place with different names;
// - a method that an endpoint has already.
// A value. After a problem it is what it was before. Tested by router_builder_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/route/endpoint.h"
#include "tercel/route/problem.h"
#include "tercel/route/router.h"
#include "tercel/route/template.h"

namespace tercel::route {

// More is a Problem.
inline constexpr std::size_t kRoutesMax = 65'536;
inline constexpr std::size_t kMixedSiblingsMax = 256;  // At one place; a lookup may try them all.
inline constexpr std::size_t kVerbsMax = 64;           // Methods of one endpoint.
inline constexpr std::size_t kMethodBytesMax = 64;

// Views are read during add() only.
struct Registration {
  std::string_view method;  // Letters in upper case, digits, '-', '_'.
  std::string_view path;    // A template.
  RouteId route = 0;
  std::string_view name = {};  // Of what answers: for messages only.
};

class RouterBuilder {
 public:
  // `users` may be null, and must outlive the builder.
  explicit RouterBuilder(UserConverters* users = nullptr) : users_{users} {}

  [[nodiscard]] Problem add(const Registration& registration);

  [[nodiscard]] Router compile() &&;

 private:
  struct Edge {
    TemplateSegment segment;
    std::uint32_t child;  // A node; of a `path` field: one without children.
    std::uint32_t owner;  // The endpoint that it was made for.
  };
  struct Node {
    std::map<std::string, std::uint32_t, std::less<>> literals;
    std::vector<Edge> mixed;
    std::optional<Edge> field;
    std::optional<Edge> rest;
    std::uint32_t endpoint = kNone;
  };

  // The child of `node` for `segment`, which is made if there is none yet.
  [[nodiscard]] Problem step(const Template& parsed, const TemplateSegment& segment,
                             std::uint32_t& node);
  [[nodiscard]] Problem step_mixed(const Template& parsed, const TemplateSegment& segment,
                                   std::uint32_t& node);
  // To the one `edge` that a place has.
  [[nodiscard]] Problem step_single(const Template& parsed, const TemplateSegment& segment,
                                    std::optional<Edge> Node::*edge, std::uint32_t& node);
  [[nodiscard]] Problem conflict(const Template& parsed, const TemplateSegment& segment,
                                 const Edge& edge) const;
  [[nodiscard]] Problem add_verb(const Registration& registration, Template&& parsed,
                                 std::uint32_t node);
  [[nodiscard]] std::uint32_t new_node();
  [[nodiscard]] std::uint32_t new_owner() const noexcept {
    return static_cast<std::uint32_t>(endpoints_.size());
  }
  void compile_node(Node& node, Router& router, std::vector<LiteralEdge>& literals) const;

  UserConverters* users_;
  std::vector<Node> nodes_{1};  // The first is the root.
  std::vector<Endpoint> endpoints_;
  std::size_t routes_ = 0;
  std::size_t levels_ = 0;
};

}  // namespace tercel::route
