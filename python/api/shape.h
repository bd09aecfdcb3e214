// Builds the Python value that a body becomes from the parsed document, in one pass.
//
// A shape is worked out from the type of an argument when a route is registered (shapes.py). It is
// for bodies that have passed the JSON Schema of that type: what is checked here is only what that
// leaves open. Nodes, as tuples of Python:
//
// | node                                                | becomes                             |
// |-----------------------------------------------------|-------------------------------------|
// | ("parsed",)                                         | what to_python() makes (values.h)   |
// | ("integer",)                                        | the same; 1.0 becomes 1             |
// | ("float",)                                          | float, of any number                |
// | ("leaf", convert)                                   | convert(what to_python() makes)     |
// | ("integer leaf", convert)                           | convert(what "integer" makes)       |
// | ("optional", node)                                  | None, or of the node                |
// | ("list" or "set" or "frozenset" or "tuple", node)   | that, of elements of the node       |
// | ("fixed", nodes)                                    | a tuple                             |
// | ("dict", node)                                      | a dict, with values of the node     |
// | ("mapping", keys, nodes)                            | a dict of the keys that are known   |
// | ("object", keys, nodes, class, names, by_place)     | class(...), called with the members |
// |                                                     | that there are; the first `by_place`|
// |                                                     | of the names may be given by place  |
//
// Members that no key names are left out. An integer for "integer" is one without a fraction.
// Resource: keeps what it calls. Recursion is bounded by the depth of the document.
// Tested by test_api_shapes.py.
#pragma once

#include <Python.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nanobind/nanobind.h>

#include "python/ref.h"
#include "tercel/json/value.h"

namespace tercel::python::api {

class Shape {
 public:
  Shape() = default;
  // Throws what a list of other nodes makes wrong: a fault of tercel's own Python code.
  explicit Shape(const nanobind::list& nodes);
  Shape(Shape&&) noexcept = default;
  Shape& operator=(Shape&&) noexcept = default;

  // Whether there is one.
  explicit operator bool() const noexcept { return !nodes_.empty(); }
  // New reference; null with an exception set: a value is none of the type after all.
  [[nodiscard]] PyObject* build(json::Value value) const noexcept { return make(0, value); }
  int traverse(visitproc visit, void* arg) const;

  static constexpr std::size_t kFieldsMax = 64;

 private:
  enum class Kind : std::uint8_t {
    kParsed,
    kInteger,
    kFloat,
    kLeaf,
    kIntegerLeaf,
    kOptional,
    kList,
    kSet,
    kFrozenset,
    kTuple,
    kFixed,
    kDict,
    kMapping,
    kObject
  };
  struct Field {
    std::string key;
    std::uint16_t hash;
    std::uint32_t node;
    Ref name;  // The key, or how the class calls it.
  };
  struct Node {
    Kind kind = Kind::kParsed;
    std::uint32_t part = 0;            // Of elements, or of values.
    std::vector<std::uint32_t> parts;  // Of a fixed tuple.
    std::vector<Field> fields;         // Of a mapping or an object.
    Ref callable;                      // Of a leaf or an object.
    Ref keywords;                      // Of an object: names behind those by place, as a tuple.
    std::size_t by_place = 0;
  };

  [[nodiscard]] static Node read(const nanobind::tuple& node);
  [[nodiscard]] PyObject* make(std::uint32_t node, json::Value value) const noexcept;
  [[nodiscard]] PyObject* make_leaf(const Node& node, json::Value value) const noexcept;
  [[nodiscard]] PyObject* make_list(std::uint32_t part, json::Value array) const noexcept;
  [[nodiscard]] PyObject* make_tuple(std::uint32_t part, json::Value array) const noexcept;
  [[nodiscard]] PyObject* make_fixed(const Node& node, json::Value array) const noexcept;
  [[nodiscard]] PyObject* make_dict(std::uint32_t part, json::Value object) const noexcept;
  [[nodiscard]] PyObject* make_mapping(const Node& node, json::Value object) const noexcept;
  [[nodiscard]] PyObject* make_object(const Node& node, json::Value object) const noexcept;
  // The values of fields, as far as they are made. Owns them.
  class Made {
   public:
    explicit Made(std::size_t count) noexcept : count_{count} {
      for (std::size_t i = 0; i < count; ++i) values_[i] = nullptr;
    }
    ~Made() {
      for (std::size_t i = 0; i < count_; ++i) Py_XDECREF(values_[i]);
    }
    Made(const Made&) = delete;
    Made& operator=(const Made&) = delete;

    // In their places; null: it is not made.
    [[nodiscard]] PyObject* const* data() const noexcept { return values_.data(); }
    [[nodiscard]] PyObject* operator[](std::size_t index) const noexcept { return values_[index]; }
    // Takes a reference, or null.
    void put(std::size_t index, PyObject* value) noexcept { Py_XSETREF(values_[index], value); }

   private:
    std::size_t count_;
    std::array<PyObject*, kFieldsMax> values_;  // The first `count_`: others are never looked at.
  };
  // Makes the members that have a field, each into its place. How many there are; -1 with an
  // exception set.
  [[nodiscard]] std::ptrdiff_t make_members(const Node& node, json::Value object,
                                            Made& made) const noexcept;

  std::vector<Node> nodes_;
};

}  // namespace tercel::python::api
