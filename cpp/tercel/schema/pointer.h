// JSON Pointers: to find a value in a document, and to tell where a value is.
//
// A value of a tape is an address, and a node knows how many nodes it contains; so the way to a
// value is found from the root by asking which child it lies in. Validation therefore keeps no
// paths. Source: RFC 6901. Tested by pointer_test.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/json/value.h"

namespace tercel::schema {

// One step from an array or object to what is in it.
struct Step {
  std::optional<std::string_view> key;  // Of a member; else `index` counts.
  std::size_t index = 0;

  bool operator==(const Step&) const = default;
};

// Finds the ways to values of one document, and goes on from the last one: those of values that
// come in the order of the document cost together what one walk through it costs.
//
// A resource: its memory grows to the depth of the document.
class PathFinder {
 public:
  // Forgets the last way.
  void start(json::Value root) noexcept;
  // The root of start().
  [[nodiscard]] bool is_at(json::Value root) const noexcept {
    return root_ && root_->node() == root.node();
  }
  // The way from the root to `value`, which is in it. Of a key (Member::name()) it is the way to
  // its object. Valid until the next call. Cost: O(siblings) a step, of those behind the last way.
  // REQUIRES: start().
  [[nodiscard]] std::span<const Step> find(json::Value value);

 private:
  // An array or object on the way, and the child that the way goes on with.
  struct Level {
    json::Value container;
    const json::Node* child;  // Of an object: the key.
  };
  void enter(json::Value container);
  // Moves to the child that `value` lies in. False: it is the key of one.
  [[nodiscard]] bool advance(json::Value value) noexcept;
  [[nodiscard]] json::Value child() const noexcept;

  std::optional<json::Value> root_;
  std::vector<Level> levels_;
  std::vector<Step> steps_;  // One for each level.
};

// One way: PathFinder::find().
[[nodiscard]] std::vector<Step> find_path(json::Value root, json::Value value);

// "/items/0/a~1b".
[[nodiscard]] std::string to_pointer(const std::vector<Step>& path);
// Appends "/" and the key, escaped.
void append_token(std::string& pointer, std::string_view key);
// The next token of `pointer`, which begins with '/', without its escapes.
[[nodiscard]] std::string take_token(std::string_view& pointer);

// The element of an array or member of an object that `token` names.
[[nodiscard]] std::optional<json::Value> find_child(json::Value parent, std::string_view token);

}  // namespace tercel::schema
