#include "tercel/proxy/field_draft.h"

#include <cstring>

#include "tercel/http/chars.h"
#include "tercel/http/h1_request_writer.h"

namespace tercel::proxy {

void FieldDraft::clear() noexcept {
  count_ = text_bytes_ = 0;
  overflowed_ = false;
}

void FieldDraft::add(std::string_view name, std::string_view value) noexcept {
  if (count_ == fields_.size()) {
    overflowed_ = true;
    return;
  }
  fields_[count_++] = {.name = name, .value = value};
}

bool FieldDraft::put(std::string_view part) noexcept {
  if (text_.size() - text_bytes_ < part.size()) {
    overflowed_ = true;
    return false;
  }
  if (!part.empty()) std::memcpy(text_.data() + text_bytes_, part.data(), part.size());
  text_bytes_ += part.size();
  return true;
}

std::string_view FieldDraft::text(std::initializer_list<std::string_view> parts) noexcept {
  const std::size_t begin = text_bytes_;
  for (const std::string_view part : parts) {
    if (!put(part)) return {};
  }
  return {text_.data() + begin, text_bytes_ - begin};
}

std::string_view FieldDraft::list(std::span<const http::Field> fields, std::string_view name,
                                  std::string_view last) noexcept {
  const std::size_t begin = text_bytes_;
  for (const http::Field& field : fields) {
    if (field.name != name || field.value.empty()) continue;
    if (!put(field.value) || !put(", ")) return {};
  }
  if (!put(last)) return {};
  return {text_.data() + begin, text_bytes_ - begin};
}

ConnectionOptions::ConnectionOptions(std::span<const http::Field> fields) noexcept
    : fields_{fields} {
  for (const http::Field& field : fields) {
    if (field.name != "connection") continue;
    std::string_view rest = field.value;
    while (!rest.empty() && !any_) {
      const std::string_view option = http::next_element(rest);
      any_ = !option.empty() && !http::equals_ignoring_case(option, "close") &&
             !http::equals_ignoring_case(option, "keep-alive");
    }
  }
}

bool ConnectionOptions::has(std::string_view name) const noexcept {
  if (http::is_of_connection(name)) return true;
  if (!any_) return false;
  for (const http::Field& field : fields_) {
    if (field.name != "connection") continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      if (http::equals_ignoring_case(http::next_element(rest), name)) return true;
    }
  }
  return false;
}

void add_end_to_end(std::span<const http::Field> fields, FieldDraft& draft) noexcept {
  const ConnectionOptions options{fields};
  for (const http::Field& field : fields) {
    if (!options.has(field.name)) draft.add(field.name, field.value);
  }
}

}  // namespace tercel::proxy
