#include "python/api/conditions.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <span>

#include "tercel/http/message_copy.h"

namespace tercel::python::api {
namespace {

// There are six of them; of those that come more often, the rest is not looked at.
constexpr std::size_t kConditionsMax = 16;

bool decides(const http::Field& field) noexcept {
  return edge::is_condition(field.name);
}

}  // namespace

std::unique_ptr<Conditions> Conditions::keep(const http::Request& request) noexcept {
  const auto first = std::find_if(request.fields.begin(), request.fields.end(), decides);
  if (first == request.fields.end()) return nullptr;
  const bool head = request.method == "HEAD";
  if (!head && request.method != "GET") return nullptr;
  std::array<http::Field, kConditionsMax> found;
  std::size_t count = 0;
  for (auto field = first; field != request.fields.end() && count < found.size(); ++field) {
    if (decides(*field)) found[count++] = *field;
  }
  const std::span<const http::Field> fields = std::span{found}.first(count);
  std::unique_ptr<Conditions> kept{new (std::nothrow) Conditions};
  if (!kept) return nullptr;
  kept->memory_.reset(new (std::nothrow) char[http::copy_bytes(fields)]);
  if (!kept->memory_) return nullptr;
  kept->asked_ = {.method = head ? "HEAD" : "GET",
                  .fields = http::copy(fields, kept->memory_.get())};
  return kept;
}

}  // namespace tercel::python::api
