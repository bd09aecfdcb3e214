#include "tercel/http/h2_fields.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "tercel/http/chars.h"
#include "tercel/http/h1_field.h"
#include "tercel/http/h1_writer.h"

namespace tercel::http {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::size_t kDigitsMax = 20;
constexpr std::string_view kStatusName = ":status";
constexpr std::string_view kLengthName = "content-length";

std::size_t text_bytes(std::span<const Field> fields) noexcept {
  std::size_t bytes = 0;
  for (const Field& field : fields) bytes += field.name.size() + field.value.size();
  return bytes;
}

}  // namespace

bool H2Fields::take(std::size_t fields, std::size_t text_bytes, BlockPool& blocks) noexcept {
  block_ = blocks.take(fields * sizeof(Field) + text_bytes);
  count_ = 0;
  if (!block_) return false;
  text_ = block_.data() + fields * sizeof(Field);
  return true;
}

bool H2Fields::reserve(const Response& response, std::string_view defaults,
                       BlockPool& blocks) noexcept {
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = defaults.find('\n', at)) != std::string_view::npos; ++at) ++lines;
  return take(2 + response.fields.size() + lines,
              3 + kDigitsMax + text_bytes(response.fields) + defaults.size(), blocks);
}

bool H2Fields::reserve(std::span<const Field> trailers, BlockPool& blocks) noexcept {
  return take(trailers.size(), text_bytes(trailers), blocks);
}

std::string_view H2Fields::copy_name(std::string_view name) noexcept {
  std::ranges::transform(name, text_, to_lower);
  return {text_, name.size()};
}

void H2Fields::add(std::string_view name, std::string_view value) noexcept {
  // A literal stays where it is; a copy of copy_name() is ours now.
  if (name.data() == text_) text_ += name.size();
  char* const copied = text_;
  if (!value.empty()) std::memcpy(copied, value.data(), value.size());
  text_ += value.size();
  std::construct_at(fields() + count_++, Field{.name = name, .value = {copied, value.size()}});
}

void H2Fields::add_head(const Response& response, std::string_view defaults) noexcept {
  char status[3];
  const bool switches = response.status == 101;
  std::to_chars(status, status + sizeof status, switches ? 200 : response.status);
  add(kStatusName, {status, sizeof status});
  while (!defaults.empty()) {
    const std::size_t line = defaults.find(kCrlf);
    const std::size_t colon = defaults.find(':');
    const std::string_view value = defaults.substr(colon + 1, line - colon - 1);
    add(copy_name(defaults.substr(0, colon)), trim_blanks(value));
    defaults.remove_prefix(line + kCrlf.size());
  }
  for (const Field& field : response.fields) {
    const std::string_view name = copy_name(field.name);
    const bool accepts = switches && name == "sec-websocket-accept";
    if (!accepts && !is_left_out(name, response.status)) add(name, trim_blanks(field.value));
  }
}

void H2Fields::add_content_length(std::uint64_t bytes) noexcept {
  char digits[kDigitsMax];
  const char* const end = std::to_chars(digits, digits + sizeof digits, bytes).ptr;
  add(kLengthName, {digits, end});
}

void H2Fields::add_trailers(std::span<const Field> trailers) noexcept {
  for (const Field& field : trailers) {
    const std::string_view name = copy_name(field.name);
    if (may_be_trailer(name)) add(name, trim_blanks(field.value));
  }
}

}  // namespace tercel::http
