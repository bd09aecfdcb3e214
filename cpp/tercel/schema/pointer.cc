#include "tercel/schema/pointer.h"

#include <algorithm>

#include "tercel/base/assert.h"
#include "tercel/base/parse_number.h"

namespace tercel::schema {
namespace {

bool contains(json::Value outer, json::Value inner) noexcept {
  return outer.node() <= inner.node() && inner.node() < outer.next().node();
}

}  // namespace

void PathFinder::start(json::Value root) noexcept {
  root_ = root;
  levels_.clear();
  steps_.clear();
}

json::Value PathFinder::child() const noexcept {
  const Level& level = levels_.back();
  return json::Value{level.container.is_object() ? level.child + 1 : level.child};
}

void PathFinder::enter(json::Value container) {
  levels_.push_back({container, container.node() + 1});
  Step& step = steps_.emplace_back();
  if (container.is_object()) step.key = json::Member{levels_.back().child}.key();
}

bool PathFinder::advance(json::Value value) noexcept {
  Level& level = levels_.back();
  Step& step = steps_.back();
  const bool is_object = level.container.is_object();
  while (!contains(child(), value)) {
    if (is_object && level.child == value.node()) return false;
    level.child = child().next().node();
    ++step.index;
  }
  if (is_object) step = {.key = json::Member{level.child}.key()};
  return true;
}

std::span<const Step> PathFinder::find(json::Value value) {
  TERCEL_ASSERT(root_);
  const json::Node* const wanted = value.node();
  // What of the last way is before the value, or around it.
  while (!levels_.empty()) {
    const Level& level = levels_.back();
    if (contains(level.container, value) && level.child <= wanted) break;
    levels_.pop_back();
    steps_.pop_back();
  }
  if (levels_.empty()) {
    if (root_->node() == wanted) return {};
    enter(*root_);
  }
  while (advance(value)) {
    if (child().node() == wanted) return steps_;
    enter(child());
  }
  return std::span{steps_}.first(steps_.size() - 1);
}

std::vector<Step> find_path(json::Value root, json::Value value) {
  PathFinder finder;
  finder.start(root);
  const std::span<const Step> path = finder.find(value);
  return {path.begin(), path.end()};
}

void append_token(std::string& pointer, std::string_view key) {
  pointer += '/';
  for (const char c : key) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
}

std::string to_pointer(const std::vector<Step>& path) {
  std::string pointer;
  for (const Step& step : path) {
    append_token(pointer, step.key ? std::string{*step.key} : std::to_string(step.index));
  }
  return pointer;
}

std::string take_token(std::string_view& pointer) {
  pointer.remove_prefix(1);
  const std::string_view raw = pointer.substr(0, std::min(pointer.find('/'), pointer.size()));
  pointer.remove_prefix(raw.size());
  std::string token;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool escape =
        raw[i] == '~' && i + 1 < raw.size() && (raw[i + 1] == '0' || raw[i + 1] == '1');
    token += escape ? (raw[i + 1] == '0' ? '~' : '/') : raw[i];
    i += escape ? 1 : 0;
  }
  return token;
}

std::optional<json::Value> find_child(json::Value parent, std::string_view token) {
  if (parent.is_object()) return parent.find(token);
  if (!parent.is_array()) return std::nullopt;
  const Result<std::uint64_t> index = parse_decimal(token);
  if (!index || *index >= parent.size() || (token.size() > 1 && token[0] == '0')) {
    return std::nullopt;
  }
  auto element = parent.elements().begin();
  for (std::uint64_t i = 0; i < *index; ++i) ++element;
  return *element;
}

}  // namespace tercel::schema
