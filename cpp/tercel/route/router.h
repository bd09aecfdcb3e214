// The router: from a method and a path to a route, through a tree of flat arrays.
//
//   RouterBuilder builder;
//   if (auto problem = builder.add({.method = "GET", .path = "/users/{id:int}", .route = 7})) ...
//   const Router router = std::move(builder).compile();
//
//   std::array<char, 16384> decoded;
//   Match match{decoded};
//   if (router.find("GET", "/users/42", match) == Outcome::kFound) use(match.route(), ...);
//
// At each level, that is in each segment of the path, candidates are tried in this order: the
// literal; mixed segments, those with more bytes of literals first, then those whose literals are
// first in the order of bytes; the plain field; the `path` field. A field takes one byte at least,
// only `path` takes nothing, too. When no way leads on from a candidate, the next one is tried. The
// path alone decides on the endpoint; the method is looked at afterwards.
//
// Cost: a segment of the path belongs to one level of the tree, and a node has one parent, so a
// lookup enters each node at most once, whatever the path is, and tries each mixed segment at most
// once. Where at each level only one of the candidates matches, it enters as many nodes as the path
// has segments. Literals cost the same however many siblings there are; mixed segments of one node
// are tried one after the other. No allocation, no recursion.
//
// Not here: query, redirects, HEAD from GET, OPTIONS, hosts. A value that is moved but not copied.
// Thread: any number may look up at the same time, each with a Match of its own. docs/internals/
// routing.md is the whole story. Tested by router_test.cc, and by router_oracle_test.cc against a
// slow matcher; fuzzed by route_fuzz.cc; measured by router_bench.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/route/converter.h"
#include "tercel/route/endpoint.h"
#include "tercel/route/literal_table.h"
#include "tercel/route/match.h"
#include "tercel/route/mixed_pattern.h"
#include "tercel/route/segments.h"

namespace tercel::route {

class Router {
 public:
  // Matches nothing.
  Router() : nodes_(1) {}
  Router(Router&&) noexcept = default;
  Router& operator=(Router&&) noexcept = default;

  // `path`: as it came, percent-encoded, without a query. One that does not begin with '/' is not
  // found.
  [[nodiscard]] Outcome find(std::string_view method, std::string_view path,
                             Match& match) const noexcept;

  // Whether `method` is one of the nine, or a route has it: if not, 501 is the answer to it.
  [[nodiscard]] bool knows_method(std::string_view method) const noexcept;

  // In the order of registration.
  [[nodiscard]] std::span<const Endpoint> endpoints() const noexcept { return endpoints_; }
  // Of the tree: no lookup enters more.
  [[nodiscard]] std::size_t nodes() const noexcept { return nodes_.size(); }

 private:
  friend class RouterBuilder;

  struct Node {
    std::uint32_t endpoint = kNone;  // Where the path ends here.
    std::uint32_t mixed_begin = 0;   // In mixed_.
    std::uint32_t mixed_end = 0;
    std::uint32_t field = kNone;      // The node behind the plain field.
    std::uint32_t converter = kNone;  // Of that field, in converters_; kNone: it takes any text.
    std::uint32_t rest = kNone;       // The endpoint of the `path` field.
    bool has_literals = false;
  };

  struct Mixed {
    MixedPattern pattern;
    std::uint32_t converters;  // Of its fields: the first, in converters_.
    std::uint32_t child;
  };

  // A node on the way, and what is still to be tried there: 0 the literal, 1 and so on the mixed
  // segments, then the plain field, then nothing.
  struct Frame {
    std::uint32_t node;
    std::uint32_t next;
    std::uint32_t captures;  // How many there were when it was entered.
  };

  // kNone, or the endpoint.
  [[nodiscard]] std::uint32_t walk(Segments& segments, Match& match) const noexcept;
  // The next node from `frame` on, whose segment is `level`. kNone: nothing is left to be tried.
  [[nodiscard]] std::uint32_t advance(Frame& frame, Segments& segments, std::size_t level,
                                      Match& match) const noexcept;
  [[nodiscard]] bool take_field(const Node& node, std::string_view text,
                                Match& match) const noexcept;
  [[nodiscard]] bool take_mixed(const Mixed& mixed, std::string_view text,
                                Match& match) const noexcept;

  std::vector<Node> nodes_;  // The first is the root.
  LiteralTable literals_;
  std::vector<Mixed> mixed_;
  std::vector<Converter> converters_;
  std::vector<Endpoint> endpoints_;
  std::vector<std::string> other_methods_;
  std::size_t levels_ = 0;  // Segments of the longest template.
};

}  // namespace tercel::route
