#include "tercel/api/failures.h"

#include <cmath>
#include <string>

#include "tercel/base/utf8.h"
#include "tercel/schema/pointer.h"

namespace tercel::api {
namespace {

struct Words {
  std::string_view type;
  std::string_view message;
};

#define TERCEL_API_WORDS(name, type, text) Words{type, text},
constexpr Words kWords[] = {TERCEL_API_FAILURES(TERCEL_API_WORDS)};
#undef TERCEL_API_WORDS

// The name of a limit, as pydantic has it; empty: its type says it all.
std::string_view limit_name(schema::Keyword keyword) noexcept {
  switch (keyword) {
    case schema::Keyword::kMinimum:
      return "ge";
    case schema::Keyword::kExclusiveMinimum:
      return "gt";
    case schema::Keyword::kMaximum:
      return "le";
    case schema::Keyword::kExclusiveMaximum:
      return "lt";
    case schema::Keyword::kMultipleOf:
      return "multiple_of";
    case schema::Keyword::kMinLength:
    case schema::Keyword::kMinItems:
    case schema::Keyword::kMinProperties:
      return "min_length";
    case schema::Keyword::kMaxLength:
    case schema::Keyword::kMaxItems:
    case schema::Keyword::kMaxProperties:
      return "max_length";
    case schema::Keyword::kPattern:
      return "pattern";
    case schema::Keyword::kConst:
      return "expected";
    default:
      return {};
  }
}

// Whether a value is short enough to be repeated, and no array and no object.
bool is_short(json::Value value) noexcept {
  switch (value.kind()) {
    case json::Kind::kBigInteger:
    case json::Kind::kDecimal:
      // Not every client can read a number that is no double.
      return value.number_text().size() <= kInputBytesMax && std::isfinite(value.float64());
    case json::Kind::kString:
      return value.string().size() <= kInputBytesMax;
    case json::Kind::kArray:
    case json::Kind::kObject:
      return false;
    default:
      return true;
  }
}

// REQUIRES: is_short().
void write_short(json::Value value, json::Writer& out) noexcept {
  switch (value.kind()) {
    case json::Kind::kFalse:
    case json::Kind::kTrue:
      return out.boolean(value.boolean());
    case json::Kind::kInteger:
      return out.integer(value.int64());
    case json::Kind::kUnsigned:
      return out.natural(value.uint64());
    case json::Kind::kBigInteger:
    case json::Kind::kDecimal:
      return out.raw(value.number_text());
    case json::Kind::kString:
      return out.string(value.string());
    default:
      return out.null();
  }
}

// A key as far as it is repeated: whole characters.
std::string_view cut(std::string_view key) noexcept {
  if (key.size() <= kKeyBytesMax) return key;
  std::size_t end = kKeyBytesMax;
  while (end > 0 && (static_cast<unsigned char>(key[end]) & 0xC0U) == 0x80U) --end;
  return key.substr(0, end);
}

// "must be at least 5" to a sentence.
std::string sentence(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - ('a' - 'A'));
  }
  return text + ".";
}

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
  finder_ = {};
  count_ = 0;
  closed_ = false;
  lost_ = false;
}

bool Failures::begin(FailureKind kind) noexcept {
  return begin(type_of(kind), message_of(kind));
}

bool Failures::begin(std::string_view type, std::string_view message) noexcept {
  if (full()) return false;
  if (count_++ == 0) writer_.begin_array();
  writer_.begin_object();
  writer_.key("type");
  writer_.string(type);
  writer_.key("msg");
  writer_.string(message);
  writer_.key("loc");
  writer_.begin_array();
  return true;
}

void Failures::lose() noexcept {
  lost_ = true;
  count_ = kFailuresMax;
}

void Failures::add_missing(const Parameter& parameter) noexcept {
  if (!begin(FailureKind::kMissing)) return;
  writer_.string(loc_of(parameter.in));
  writer_.string(parameter.name);
  writer_.end_array();
  end();
}

void Failures::add(FailureKind kind, const Parameter& parameter, std::string_view text) noexcept {
  if (!begin(kind)) return;
  writer_.string(loc_of(parameter.in));
  writer_.string(parameter.name);
  writer_.end_array();
  if (text.data() != nullptr && text.size() <= kInputBytesMax && is_utf8(text)) {
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

void Failures::add(const schema::Validator& validator, const Parameter* parameter,
                   json::Value root) {
  if (validator.verdict() == schema::Verdict::kNoMemory) return lose();
  for (const schema::Error& error : validator.errors()) add(error, parameter, root);
  if (!validator.errors().empty()) return;
  if (parameter == nullptr) return add_body(FailureKind::kTooComplex);
  add(FailureKind::kTooComplex, *parameter, {});
}

void Failures::add(const schema::Error& error, const Parameter* parameter, json::Value root) {
  if (!begin(schema::code_of(error), sentence(schema::describe(error)))) return;
  writer_.string(parameter != nullptr ? loc_of(parameter->in) : "body");
  if (parameter != nullptr) writer_.string(parameter->name);
  if (!finder_.is_at(root)) finder_.start(root);
  for (const schema::Step& step : finder_.find(error.value)) {
    if (step.key) {
      writer_.string(cut(*step.key));
    } else {
      writer_.natural(step.index);
    }
  }
  const bool missing = error.keyword == schema::Keyword::kRequired ||
                       error.keyword == schema::Keyword::kDependentRequired;
  if (missing) writer_.string(error.name);
  writer_.end_array();
  if (!missing && is_short(error.value)) {
    writer_.key("input");
    write_short(error.value, writer_);
  }
  const std::string_view limit = limit_name(error.keyword);
  if (error.limit && !limit.empty() && is_short(*error.limit)) {
    writer_.key("ctx");
    writer_.begin_object();
    writer_.key(limit);
    write_short(*error.limit, writer_);
    writer_.end_object();
  }
  end();
}

std::string_view Failures::json() noexcept {
  if (!closed_) writer_.end_array();
  closed_ = true;
  return writer_.view();
}

}  // namespace tercel::api
