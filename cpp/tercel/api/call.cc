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

void Call::refuse(std::uint16_t status, std::string_view detail, Fields fields) noexcept {
  if (authentication == nullptr) return problem(status, detail, fields);
  scratch.clear();
  write({.status = status, .detail = detail, .instance = request.path}, scratch);
  if (!scratch.ok()) return exchange.abort(Errc::kNoMemory);
  authentication->ask(*this, {.status = status,
                              .content_type = kProblemType,
                              .body = scratch.view(),
                              .fields = {fields.begin(), fields.size()}});
}

void Call::answer_refusal() const noexcept {
  if (refusal == nullptr) return;
  answer(exchange, refusal->status, refusal->content_type, refusal->body, refusal->fields);
}

}  // namespace tercel::api
