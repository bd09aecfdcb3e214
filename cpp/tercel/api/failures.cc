#include "tercel/api/failures.h"

#include "tercel/base/utf8.h"

namespace tercel::api {
namespace {

struct Words {
  std::string_view type;
  std::string_view message;
};

#define TERCEL_API_WORDS(name, type, text) Words{type, text},
constexpr Words kWords[] = {TERCEL_API_FAILURES(TERCEL_API_WORDS)};
#undef TERCEL_API_WORDS

const Words& words_of(FailureKind kind) noexcept {
  return kWords[static_cast<std::size_t>(kind)];
}

}  // namespace

std::string_view type_of(FailureKind kind) noexcept {
  return words_of(kind).type;
}

std::string_view message_of(FailureKind kind) noexcept {
  return words_of(kind).message;
}

void Failures::clear() noexcept {
  writer_.clear();
  count_ = 0;
  closed_ = false;
}

bool Failures::begin(FailureKind kind) noexcept {
  if (full()) return false;
  if (count_++ == 0) writer_.begin_array();
  writer_.begin_object();
  writer_.key("type");
  writer_.string(type_of(kind));
  writer_.key("msg");
  writer_.string(message_of(kind));
  writer_.key("loc");
  writer_.begin_array();
  return true;
}

void Failures::add_missing(const Parameter& parameter) noexcept {
  if (!begin(FailureKind::kMissing)) return;
  writer_.string(name_of(parameter.in));
  writer_.string(parameter.name);
  writer_.end_array();
  end();
}

void Failures::add(FailureKind kind, const Parameter& parameter, std::string_view text) noexcept {
  if (!begin(kind)) return;
  writer_.string(name_of(parameter.in));
  writer_.string(parameter.name);
  writer_.end_array();
  if (text.size() <= kInputBytesMax && is_utf8(text)) {
    writer_.key("input");
    writer_.string(text);
  }
  end();
}

void Failures::add_body(FailureKind kind) noexcept {
  if (!begin(kind)) return;
  writer_.string("body");
  writer_.end_array();
  end();
}

std::string_view Failures::json() noexcept {
  if (!closed_) writer_.end_array();
  closed_ = true;
  return writer_.view();
}

}  // namespace tercel::api
