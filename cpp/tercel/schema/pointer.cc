#include "tercel/schema/pointer.h"

#include <algorithm>

#include "tercel/base/parse_number.h"

namespace tercel::schema {
namespace {

bool contains(json::Value outer, json::Value inner) noexcept {
  return outer.node() <= inner.node() && inner.node() < outer.next().node();
}

// The step to the child of `at` that `value` lies in, and that child.
std::optional<json::Value> step_into(json::Value at, json::Value value, Step& step) noexcept {
  if (at.is_array()) {
    for (const json::Value element : at.elements()) {
      if (contains(element, value)) return element;
      ++step.index;
    }
  } else if (at.is_object()) {
    for (const json::Member member : at.members()) {
      if (member.name().node() == value.node()) return std::nullopt;
      if (contains(member.value(), value)) {
        step.key = member.key();
        return member.value();
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<Step> find_path(json::Value root, json::Value value) {
  std::vector<Step> path;
  json::Value at = root;
  while (at.node() != value.node()) {
    Step step;
    const std::optional<json::Value> child = step_into(at, value, step);
    if (!child) break;
    path.push_back(step);
    at = *child;
  }
  return path;
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
