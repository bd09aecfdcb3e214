#include "python/api/fields.h"

namespace nb = nanobind;

namespace tercel::python::api {

std::string_view view_of(const nb::bytes& bytes) noexcept {
  return {bytes.c_str(), bytes.size()};
}

nb::bytes bytes_of(std::string_view bytes) {
  return nb::bytes{bytes.data(), bytes.size()};
}

HeaderFields::HeaderFields(const nb::list& headers) {
  // Views into short strings are into the vector itself.
  kept_.reserve(nb::len(headers));
  fields_.reserve(nb::len(headers));
  for (const nb::handle pair : headers) {
    const auto field = nb::cast<nb::tuple>(pair);
    const auto& [name, value] = kept_.emplace_back(view_of(nb::cast<nb::bytes>(field[0])),
                                                   view_of(nb::cast<nb::bytes>(field[1])));
    fields_.push_back({name, value});
  }
}

nb::tuple to_pair(std::string_view name, std::string_view value) {
  return nb::make_tuple(bytes_of(name), bytes_of(value));
}

Ref as_latin1(std::string_view text) noexcept {
  return Ref::steal(
      PyUnicode_DecodeLatin1(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr));
}

Ref as_utf8(std::string_view text) noexcept {
  return Ref::steal(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

Ref to_pairs(std::span<const http::Field> fields, Decode decode) noexcept {
  Ref list = Ref::steal(PyList_New(0));
  for (const http::Field& field : fields) {
    const Ref name = list ? decode(field.name) : Ref{};
    const Ref value = name ? decode(field.value) : Ref{};
    const Ref pair = value ? Ref::steal(PyTuple_Pack(2, name.get(), value.get())) : Ref{};
    if (!pair || PyList_Append(list.get(), pair.get()) < 0) return {};
  }
  return list;
}

}  // namespace tercel::python::api
