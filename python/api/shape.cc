#include "python/api/shape.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "python/api/values.h"
#include "tercel/api/limits.h"
#include "tercel/json/decimal.h"
#include "tercel/json/node.h"

namespace nb = nanobind;

namespace tercel::python::api {
namespace {

// What the schema leaves open, and the type does not have.
PyObject* refuse() noexcept {
  PyErr_SetString(PyExc_ValueError, "the value is none of the type");
  return nullptr;
}

PyObject* make_float(json::Value value) noexcept {
  if (!value.is_number()) return refuse();
  const double number = value.float64();
  return std::isfinite(number) ? PyFloat_FromDouble(number) : refuse();
}

// A number that is written with a fraction or an exponent may be an integer all the same.
PyObject* make_integer(json::Value value) noexcept {
  if (value.kind() != json::Kind::kDecimal) return to_python(value);
  const double number = value.float64();
  // From 2^53 on the double is the nearest of several integers: the digits say which was meant.
  if (std::fabs(number) < 9007199254740992.0) {
    return std::trunc(number) == number ? PyLong_FromDouble(number) : refuse();
  }
  const json::Decimal exact{value};
  const auto zeros = exact.exponent();
  constexpr std::int64_t kDigitsMax = tercel::api::kIntegerDigitsMax;
  if (zeros < 0 || zeros > kDigitsMax - static_cast<std::int64_t>(exact.size())) return refuse();
  std::array<char, kDigitsMax + 2> text;
  char* end = text.data();
  if (exact.negative()) *end++ = '-';
  for (std::size_t i = 0; i < exact.size(); ++i) *end++ = static_cast<char>('0' + exact.digit(i));
  end = std::fill_n(end, zeros, '0');
  *end = '\0';
  return PyLong_FromString(text.data(), nullptr, 10);
}

}  // namespace

// --- registration

Shape::Shape(const nb::list& nodes) {
  for (const nb::handle node : nodes) nodes_.push_back(read(nb::cast<nb::tuple>(node)));
}

Shape::Node Shape::read(const nb::tuple& node) {
  static constexpr std::array<std::pair<std::string_view, Kind>, 14> kKinds{
      {{"parsed", Kind::kParsed},
       {"integer", Kind::kInteger},
       {"float", Kind::kFloat},
       {"leaf", Kind::kLeaf},
       {"integer leaf", Kind::kIntegerLeaf},
       {"optional", Kind::kOptional},
       {"list", Kind::kList},
       {"set", Kind::kSet},
       {"frozenset", Kind::kFrozenset},
       {"tuple", Kind::kTuple},
       {"fixed", Kind::kFixed},
       {"dict", Kind::kDict},
       {"mapping", Kind::kMapping},
       {"object", Kind::kObject}}};
  const auto name = nb::cast<std::string>(node[0]);
  Node made;
  bool known = false;
  for (const auto& [text, kind] : kKinds) {
    if (text != name) continue;
    made.kind = kind;
    known = true;
  }
  if (!known) throw nb::value_error("no such node of a shape");
  switch (made.kind) {
    case Kind::kParsed:
    case Kind::kInteger:
    case Kind::kFloat:
      break;
    case Kind::kLeaf:
    case Kind::kIntegerLeaf:
      made.callable = Ref::share(nb::object(node[1]).ptr());
      break;
    case Kind::kFixed:
      for (const nb::handle part : nb::cast<nb::tuple>(node[1])) {
        made.parts.push_back(nb::cast<std::uint32_t>(part));
      }
      break;
    case Kind::kMapping:
    case Kind::kObject: {
      const auto keys = nb::cast<nb::tuple>(node[1]);
      const auto parts = nb::cast<nb::tuple>(node[2]);
      const bool is_object = made.kind == Kind::kObject;
      const auto names = is_object ? nb::cast<nb::tuple>(node[4]) : keys;
      if (nb::len(keys) > kFieldsMax) throw nb::value_error("too many fields for a shape");
      for (std::size_t i = 0; i < nb::len(keys); ++i) {
        auto key = nb::cast<std::string>(keys[i]);
        PyObject* field = nb::object(names[i]).inc_ref().ptr();
        PyUnicode_InternInPlace(&field);
        const std::uint16_t hash = json::hash_key(key);
        made.fields.push_back({.key = std::move(key),
                               .hash = hash,
                               .node = nb::cast<std::uint32_t>(parts[i]),
                               .name = Ref::steal(field)});
      }
      if (!is_object) break;
      made.callable = Ref::share(nb::object(node[3]).ptr());
      made.by_place = nb::cast<std::size_t>(node[5]);
      made.keywords = Ref::steal(PyTuple_GetSlice(
          names.ptr(), static_cast<Py_ssize_t>(made.by_place), PyTuple_GET_SIZE(names.ptr())));
      if (!made.keywords) throw nb::python_error{};
      break;
    }
    default:
      made.part = nb::cast<std::uint32_t>(node[1]);
  }
  return made;
}

int Shape::traverse(visitproc visit, void* arg) const {
  for (const Node& node : nodes_) Py_VISIT(node.callable.get());
  return 0;
}

// --- values

PyObject* Shape::make(std::uint32_t index, json::Value value) const noexcept {
  const Node& node = nodes_[index];
  switch (node.kind) {
    case Kind::kParsed:
      return to_python(value);
    case Kind::kInteger:
      return make_integer(value);
    case Kind::kFloat:
      return make_float(value);
    case Kind::kLeaf:
    case Kind::kIntegerLeaf:
      return make_leaf(node, value);
    case Kind::kOptional:
      return value.is_null() ? Py_NewRef(Py_None) : make(node.part, value);
    case Kind::kDict:
      return value.is_object() ? make_dict(node.part, value) : refuse();
    case Kind::kMapping:
      return value.is_object() ? make_mapping(node, value) : refuse();
    case Kind::kObject:
      return value.is_object() ? make_object(node, value) : refuse();
    default:
      break;
  }
  if (!value.is_array()) return refuse();
  if (node.kind == Kind::kList) return make_list(node.part, value);
  if (node.kind == Kind::kFixed) return make_fixed(node, value);
  if (node.kind == Kind::kTuple) return make_tuple(node.part, value);
  const Ref list = Ref::steal(make_list(node.part, value));
  if (!list) return nullptr;
  return node.kind == Kind::kSet ? PySet_New(list.get()) : PyFrozenSet_New(list.get());
}

PyObject* Shape::make_leaf(const Node& node, json::Value value) const noexcept {
  const bool is_integer = node.kind == Kind::kIntegerLeaf && value.is_number();
  const Ref parsed = Ref::steal(is_integer ? make_integer(value) : to_python(value));
  if (!parsed) return nullptr;
  return entering_python([&] { return PyObject_CallOneArg(node.callable.get(), parsed.get()); });
}

PyObject* Shape::make_list(std::uint32_t part, json::Value array) const noexcept {
  Ref list = Ref::steal(PyList_New(static_cast<Py_ssize_t>(array.size())));
  if (!list) return nullptr;
  Py_ssize_t index = 0;
  for (const json::Value element : array.elements()) {
    PyObject* const item = make(part, element);
    if (item == nullptr) return nullptr;
    PyList_SET_ITEM(list.get(), index++, item);
  }
  return list.release();
}

PyObject* Shape::make_tuple(std::uint32_t part, json::Value array) const noexcept {
  const Ref list = Ref::steal(make_list(part, array));
  return list ? PyList_AsTuple(list.get()) : nullptr;
}

PyObject* Shape::make_fixed(const Node& node, json::Value array) const noexcept {
  if (array.size() != node.parts.size()) return refuse();
  Ref tuple = Ref::steal(PyTuple_New(static_cast<Py_ssize_t>(node.parts.size())));
  if (!tuple) return nullptr;
  Py_ssize_t index = 0;
  for (const json::Value element : array.elements()) {
    PyObject* const item = make(node.parts[static_cast<std::size_t>(index)], element);
    if (item == nullptr) return nullptr;
    PyTuple_SET_ITEM(tuple.get(), index++, item);
  }
  return tuple.release();
}

PyObject* Shape::make_dict(std::uint32_t part, json::Value object) const noexcept {
  Ref dict = Ref::steal(PyDict_New());
  if (!dict) return nullptr;
  for (const json::Member member : object.members()) {
    const Ref key = Ref::steal(to_python(member.name()));
    const Ref value = Ref::steal(key ? make(part, member.value()) : nullptr);
    if (!value || PyDict_SetItem(dict.get(), key.get(), value.get()) < 0) return nullptr;
  }
  return dict.release();
}

std::ptrdiff_t Shape::make_members(const Node& node, json::Value object,
                                   Made& made) const noexcept {
  const std::size_t count = node.fields.size();
  std::ptrdiff_t found = 0;
  // Members mostly come in the order of the fields.
  std::size_t expected = 0;
  for (const json::Member member : object.members()) {
    std::size_t at = expected;
    std::size_t looked = 0;
    for (; looked < count; ++looked, at = at + 1 == count ? 0 : at + 1) {
      if (at >= count) at = 0;
      const Field& field = node.fields[at];
      if (field.hash == member.key_hash() && field.key == member.key()) break;
    }
    if (looked == count) continue;
    made.put(at, make(node.fields[at].node, member.value()));
    if (made[at] == nullptr) return -1;
    expected = at + 1;
    ++found;
  }
  return found;
}

PyObject* Shape::make_mapping(const Node& node, json::Value object) const noexcept {
  Made made{node.fields.size()};
  Ref dict = Ref::steal(PyDict_New());
  if (!dict || make_members(node, object, made) < 0) return nullptr;
  for (std::size_t i = 0; i < node.fields.size(); ++i) {
    if (made[i] == nullptr) continue;
    if (PyDict_SetItem(dict.get(), node.fields[i].name.get(), made[i]) < 0) return nullptr;
  }
  return dict.release();
}

PyObject* Shape::make_object(const Node& node, json::Value object) const noexcept {
  Made made{node.fields.size()};
  const std::ptrdiff_t found = make_members(node, object, made);
  if (found < 0) return nullptr;
  const std::size_t count = node.fields.size();
  if (static_cast<std::size_t>(found) == count) {
    PyObject* const keywords =
        PyTuple_GET_SIZE(node.keywords.get()) == 0 ? nullptr : node.keywords.get();
    return entering_python([&] {
      return PyObject_Vectorcall(node.callable.get(), made.data(), node.by_place, keywords);
    });
  }
  std::array<PyObject*, kFieldsMax> arguments;
  std::size_t given = 0;
  const Ref keywords = Ref::steal(PyTuple_New(found));
  if (!keywords) return nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    if (made[i] == nullptr) continue;
    PyTuple_SET_ITEM(keywords.get(), static_cast<Py_ssize_t>(given),
                     Py_NewRef(node.fields[i].name.get()));
    arguments[given++] = made[i];
  }
  return entering_python([&] {
    return PyObject_Vectorcall(node.callable.get(), arguments.data(), 0, keywords.get());
  });
}

}  // namespace tercel::python::api
