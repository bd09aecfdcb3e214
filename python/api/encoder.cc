#include "python/api/encoder.h"

#include "python/errors.h"

namespace nb = nanobind;

namespace tercel::python::api {

nb::tuple Encoder::answer(const nb::object& result, std::uint16_t status) const {
  Answer answer;
  if (!answer.read(result.ptr(), status, encoding())) throw_python_error();
  BufferExchange exchange{std::nullopt};
  or_throw(exchange.start(answer.response()));
  or_throw(exchange.write(answer.payload(), http::Final::kYes));
  return to_tuple(exchange);
}

nb::tuple to_tuple(const BufferExchange& exchange) {
  nb::list fields;
  for (const auto& [name, value] : exchange.fields()) {
    fields.append(
        nb::make_tuple(nb::bytes(name.data(), name.size()), nb::bytes(value.data(), value.size())));
  }
  return nb::make_tuple(exchange.status(), fields,
                        nb::bytes(exchange.body().data(), exchange.body().size()));
}

}  // namespace tercel::python::api
