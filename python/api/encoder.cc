#include "python/api/encoder.h"

#include "python/api/fields.h"
#include "python/api/file.h"
#include "python/errors.h"

namespace nb = nanobind;

namespace tercel::python::api {

nb::tuple Encoder::answer(const nb::object& result, std::uint16_t status, std::string_view method,
                          const nb::list& headers, const nb::bytes& path) const {
  Answer answer;
  if (!answer.read(result.ptr(), status, encoding())) throw_python_error();
  const HeaderFields fields{headers};
  BufferExchange exchange{std::nullopt};
  or_throw(answer.send(exchange, {method, fields.all(), view_of(path)}));
  return to_tuple(exchange);
}

nb::tuple to_tuple(BufferExchange& exchange) {
  nb::list fields;
  for (const auto& [name, value] : exchange.fields()) {
    fields.append(to_pair(name, value));
  }
  std::vector<BufferExchange::Part> parts = exchange.take_parts();
  nb::object body = bytes_of(exchange.body());
  if (!parts.empty()) {
    nb::list all;
    for (BufferExchange::Part& part : parts) {
      if (!part.before.empty()) all.append(bytes_of(part.before));
      all.append(nb::cast(std::move(part.file)));
    }
    if (!exchange.body().empty()) all.append(body);
    body = all;
  }
  return nb::make_tuple(exchange.status(), fields, body);
}

}  // namespace tercel::python::api
