#include "tercel/api/call.h"

namespace tercel::api {

std::optional<json::Value> Call::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].name == name && arguments.has(i)) return arguments.value(i);
  }
  return std::nullopt;
}

const Upload* Call::upload(std::string_view name) const noexcept {
  if (form == nullptr) return nullptr;
  for (const Upload& file : form->uploads()) {
    if (parameters[file.parameter()].name == name) return &file;
  }
  return nullptr;
}

void Call::answer_json(std::uint16_t status, Fields fields) const noexcept {
  if (!scratch.ok()) return exchange.abort(Errc::kNoMemory);
  answer(exchange, status, "application/json", scratch.view(), fields);
}

}  // namespace tercel::api
