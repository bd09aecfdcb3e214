#include "tercel/api/call.h"

namespace tercel::api {

void Call::answer_json(std::uint16_t status) const noexcept {
  if (!scratch.ok()) return exchange.abort(Errc::kNoMemory);
  answer(exchange, status, "application/json", scratch.view());
}

}  // namespace tercel::api
