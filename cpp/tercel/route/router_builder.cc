#include "tercel/route/router_builder.h"

#include <algorithm>
#include <utility>

namespace tercel::route {
namespace {

std::string quoted(std::string_view text) {
  return "\"" + std::string{text} + "\"";
}

bool valid_method(std::string_view method) noexcept {
  const bool valid = std::all_of(method.begin(), method.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  return valid && !method.empty() && method.size() <= kMethodBytesMax;
}

// As it was written, but for arguments.
std::string text_of(const TemplateSegment& segment) {
  std::string out = segment.literals.front();
  for (std::size_t i = 0; i < segment.fields.size(); ++i) {
    out += "{" + segment.fields[i].name + "}" + segment.literals[i + 1];
  }
  return out;
}

std::size_t literal_bytes(const TemplateSegment& segment) noexcept {
  std::size_t sum = 0;
  for (const std::string& literal : segment.literals) sum += literal.size();
  return sum;
}

}  // namespace

Problem RouterBuilder::add(const Registration& registration) {
  if (!valid_method(registration.method)) {
    return quoted(registration.path) +
           ": a method is made of upper-case letters, digits, '-' and '_'.";
  }
  if (routes_ == kRoutesMax) {
    return quoted(registration.path) + ": there are " + std::to_string(kRoutesMax) +
           " routes already.";
  }
  Template parsed;
  if (auto problem = parse_template(registration.path, users_, parsed)) return problem;
  // Conflicts are with what is there, so none can follow the first node that is made: a problem
  // leaves nothing behind.
  std::uint32_t node = 0;
  for (const TemplateSegment& segment : parsed.segments) {
    if (auto problem = step(parsed, segment, node)) return problem;
  }
  levels_ = std::max(levels_, parsed.segments.size());
  return add_verb(registration, std::move(parsed), node);
}

Problem RouterBuilder::step(const Template& parsed, const TemplateSegment& segment,
                            std::uint32_t& node) {
  switch (segment.kind) {
    case SegmentKind::kMixed:
      return step_mixed(parsed, segment, node);
    case SegmentKind::kField:
      return step_single(parsed, segment, &Node::field, node);
    case SegmentKind::kRest:
      return step_single(parsed, segment, &Node::rest, node);
    case SegmentKind::kLiteral:
      break;
  }
  const std::string& literal = segment.literals.front();
  const auto found = nodes_[node].literals.find(literal);
  if (found != nodes_[node].literals.end()) {
    node = found->second;
    return std::nullopt;
  }
  const std::uint32_t child = new_node();
  nodes_[node].literals.emplace(literal, child);
  node = child;
  return std::nullopt;
}

Problem RouterBuilder::step_mixed(const Template& parsed, const TemplateSegment& segment,
                                  std::uint32_t& node) {
  for (const Edge& edge : nodes_[node].mixed) {
    if (edge.segment.literals != segment.literals) continue;
    if (edge.segment.fields != segment.fields) return conflict(parsed, segment, edge);
    node = edge.child;
    return std::nullopt;
  }
  if (nodes_[node].mixed.size() == kMixedSiblingsMax) {
    return quoted(parsed.text) + ": there are " + std::to_string(kMixedSiblingsMax) +
           " templates already with fields and literals mixed where it has " +
           quoted(text_of(segment)) + ".";
  }
  const std::uint32_t child = new_node();
  nodes_[node].mixed.push_back({segment, child, new_owner()});
  node = child;
  return std::nullopt;
}

Problem RouterBuilder::step_single(const Template& parsed, const TemplateSegment& segment,
                                   std::optional<Edge> Node::*edge, std::uint32_t& node) {
  if (const auto& there = nodes_[node].*edge) {
    if (there->segment.fields != segment.fields) return conflict(parsed, segment, *there);
    node = there->child;
    return std::nullopt;
  }
  const std::uint32_t child = new_node();
  (nodes_[node].*edge).emplace(Edge{segment, child, new_owner()});
  node = child;
  return std::nullopt;
}

Problem RouterBuilder::conflict(const Template& parsed, const TemplateSegment& segment,
                                const Edge& edge) const {
  const std::string here = text_of(segment);
  const std::string there = text_of(edge.segment);
  const std::string difference =
      here == there ? here + " has another converter in each"
                    : here + " and " + there + " take the same place with different names";
  return quoted(parsed.text) + " conflicts with " + quoted(endpoints_[edge.owner].path()) + ": " +
         difference + ".";
}

Problem RouterBuilder::add_verb(const Registration& registration, Template&& parsed,
                                std::uint32_t node) {
  std::uint32_t& endpoint = nodes_[node].endpoint;
  if (endpoint == kNone) {
    endpoint = new_owner();
    endpoints_.emplace_back(std::move(parsed));
  }
  Endpoint& there = endpoints_[endpoint];
  const std::string method{registration.method};
  if (there.route(method)) {
    const auto verb = std::find_if(there.verbs().begin(), there.verbs().end(),
                                   [&](const Verb& each) { return each.method == method; });
    std::string out = method + " " + quoted(registration.path) + " is there already, as " + method +
                      " " + quoted(there.path());
    if (!verb->name.empty()) out += " of " + verb->name;
    if (!registration.name.empty()) out += "; " + std::string{registration.name} + " comes second";
    return out + ".";
  }
  if (there.verbs().size() == kVerbsMax) {
    return quoted(there.path()) + " has " + std::to_string(kVerbsMax) + " methods already.";
  }
  there.add({method, std::string{registration.name}, registration.route});
  ++routes_;
  return std::nullopt;
}

std::uint32_t RouterBuilder::new_node() {
  nodes_.emplace_back();
  return static_cast<std::uint32_t>(nodes_.size() - 1);
}

Router RouterBuilder::compile() && {
  Router router;
  router.nodes_.clear();
  router.nodes_.reserve(nodes_.size());
  // Texts of edges are views into the maps, which stay until the table has its own.
  std::vector<LiteralEdge> literals;
  for (Node& node : nodes_) compile_node(node, router, literals);
  router.literals_ = LiteralTable{literals};
  router.levels_ = levels_;
  for (const Endpoint& endpoint : endpoints_) {
    for (const Verb& verb : endpoint.verbs()) {
      if (!router.knows_method(verb.method)) router.other_methods_.push_back(verb.method);
    }
  }
  router.endpoints_ = std::move(endpoints_);
  return router;
}

void RouterBuilder::compile_node(Node& node, Router& router,
                                 std::vector<LiteralEdge>& literals) const {
  Router::Node out;
  out.endpoint = node.endpoint;
  out.has_literals = !node.literals.empty();
  const auto index = static_cast<std::uint32_t>(router.nodes_.size());
  for (const auto& [text, child] : node.literals) literals.push_back({index, text, child});

  std::sort(node.mixed.begin(), node.mixed.end(), [](const Edge& a, const Edge& b) {
    const std::size_t a_bytes = literal_bytes(a.segment);
    const std::size_t b_bytes = literal_bytes(b.segment);
    return a_bytes != b_bytes ? a_bytes > b_bytes : a.segment.literals < b.segment.literals;
  });
  out.mixed_begin = static_cast<std::uint32_t>(router.mixed_.size());
  for (const Edge& edge : node.mixed) {
    router.mixed_.push_back({MixedPattern{edge.segment.literals},
                             static_cast<std::uint32_t>(router.converters_.size()), edge.child});
    for (const Field& field : edge.segment.fields) router.converters_.push_back(field.converter);
  }
  out.mixed_end = static_cast<std::uint32_t>(router.mixed_.size());

  if (node.field) {
    const Converter& converter = node.field->segment.fields.front().converter;
    out.field = node.field->child;
    if (converter != Converter{}) {
      out.converter = static_cast<std::uint32_t>(router.converters_.size());
      router.converters_.push_back(converter);
    }
  }
  if (node.rest) out.rest = nodes_[node.rest->child].endpoint;
  router.nodes_.push_back(out);
}

}  // namespace tercel::route
