#include "tercel/http/message_copy.h"

#include <cstring>
#include <functional>
#include <memory>

namespace tercel::http {
namespace {

constexpr std::size_t rounded_up(std::size_t bytes) noexcept {
  return (bytes + alignof(Field) - 1) / alignof(Field) * alignof(Field);
}

// Whether `part` lies inside of `whole`, as path and query usually do in the target. Memory that is
// not the same object has no order of its own; std::less_equal gives it one.
bool is_within(std::string_view part, std::string_view whole) noexcept {
  const std::less_equal<const char*> not_behind;
  return not_behind(whole.data(), part.data()) &&
         not_behind(part.data() + part.size(), whole.data() + whole.size());
}

class Copier {
 public:
  explicit Copier(char* memory) noexcept : at_{memory} {}

  std::string_view text(std::string_view text) noexcept {
    if (text.empty()) return {};
    std::memcpy(at_, text.data(), text.size());
    const std::string_view copied{at_, text.size()};
    at_ += text.size();
    return copied;
  }

  // Of a part of `whole`, which was copied already: the same part of the copy.
  std::string_view text_of(std::string_view part, std::string_view whole,
                           std::string_view copied) noexcept {
    if (!is_within(part, whole)) return text(part);
    return copied.substr(static_cast<std::size_t>(part.data() - whole.data()), part.size());
  }

  // REQUIRES: aligned, as at the start.
  std::span<const Field> fields(std::span<const Field> fields) noexcept {
    auto* const first = reinterpret_cast<Field*>(at_);
    at_ += fields.size_bytes();
    Field* next = first;
    for (const Field& field : fields) {
      const std::string_view name = text(field.name);
      std::construct_at(next++, Field{.name = name, .value = text(field.value)});
    }
    return {first, fields.size()};
  }

  const Address* address(const Address& address) noexcept {
    auto* const copied = std::construct_at(reinterpret_cast<Address*>(at_), address);
    at_ += rounded_up(sizeof address);
    return copied;
  }

 private:
  char* at_;
};

std::size_t text_bytes(std::span<const Field> fields) noexcept {
  std::size_t bytes = 0;
  for (const Field& field : fields) bytes += field.name.size() + field.value.size();
  return bytes;
}

}  // namespace

std::size_t copy_bytes(std::span<const Field> fields) noexcept {
  return rounded_up(fields.size_bytes() + text_bytes(fields));
}

std::span<const Field> copy(std::span<const Field> fields, char* memory) noexcept {
  return Copier{memory}.fields(fields);
}

std::size_t copy_bytes(const Response& response) noexcept {
  return rounded_up(response.fields.size_bytes() + text_bytes(response.fields) +
                    response.reason.size());
}

Response copy(const Response& response, char* memory) noexcept {
  Copier copier{memory};
  Response copied = response;
  copied.fields = copier.fields(response.fields);
  copied.reason = copier.text(response.reason);
  return copied;
}

std::size_t copy_bytes(const Request& request) noexcept {
  std::size_t bytes = request.fields.size_bytes() + text_bytes(request.fields) +
                      request.method.size() + request.target.size() + request.authority.size() +
                      request.root_path.size();
  if (!is_within(request.path, request.target)) bytes += request.path.size();
  if (!is_within(request.query, request.target)) bytes += request.query.size();
  if (request.client != nullptr) bytes += rounded_up(sizeof(Address));
  return rounded_up(bytes);
}

// What is aligned comes first.
Request copy(const Request& request, char* memory) noexcept {
  Copier copier{memory};
  Request copied = request;
  if (request.client != nullptr) copied.client = copier.address(*request.client);
  copied.fields = copier.fields(request.fields);
  copied.method = copier.text(request.method);
  copied.target = copier.text(request.target);
  copied.path = copier.text_of(request.path, request.target, copied.target);
  copied.query = copier.text_of(request.query, request.target, copied.target);
  copied.authority = copier.text(request.authority);
  copied.root_path = copier.text(request.root_path);
  return copied;
}

}  // namespace tercel::http
