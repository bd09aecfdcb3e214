#include "python/api/encoder.h"

#include "python/api/file.h"
#include "python/errors.h"

namespace nb = nanobind;

namespace tercel::python::api {
namespace {

std::string text_of(const nb::handle& object) {
  const auto bytes = nb::cast<nb::bytes>(object);
  return {bytes.c_str(), bytes.size()};
}

nb::bytes to_bytes(std::string_view bytes) {
  return nb::bytes{bytes.data(), bytes.size()};
}

}  // namespace

HeaderFields::HeaderFields(const nb::list& headers) {
  kept_.reserve(nb::len(headers));
  for (const nb::handle pair : headers) {
    const auto field = nb::cast<nb::tuple>(pair);
    const auto& [name, value] = kept_.emplace_back(text_of(field[0]), text_of(field[1]));
    fields_.push_back({name, value});
  }
}

nb::tuple Encoder::answer(const nb::object& result, std::uint16_t status, std::string_view method,
                          const nb::list& headers) const {
  Answer answer;
  if (!answer.read(result.ptr(), status, encoding())) throw_python_error();
  const HeaderFields fields{headers};
  BufferExchange exchange{std::nullopt};
  or_throw(answer.send(exchange, {method, fields.all()}));
  return to_tuple(exchange);
}

nb::tuple to_tuple(BufferExchange& exchange) {
  nb::list fields;
  for (const auto& [name, value] : exchange.fields()) {
    fields.append(nb::make_tuple(to_bytes(name), to_bytes(value)));
  }
  std::vector<BufferExchange::Part> parts = exchange.take_parts();
  nb::object body = to_bytes(exchange.body());
  if (!parts.empty()) {
    nb::list all;
    for (BufferExchange::Part& part : parts) {
      if (!part.before.empty()) all.append(to_bytes(part.before));
      all.append(nb::cast(std::move(part.file)));
    }
    if (!exchange.body().empty()) all.append(body);
    body = all;
  }
  return nb::make_tuple(exchange.status(), fields, body);
}

}  // namespace tercel::python::api
