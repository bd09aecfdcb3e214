// What is wrong with the values of a request, all of it at once, as the client will read it.
//
//   failures.add(FailureKind::kMissing, {In::kQuery, "limit"}, {});
//   if (!failures.empty()) ... "errors": failures.json()
//
// Each is an object {"loc": ["query", "limit"], "type": "missing", "msg": "...", "input": "..."}:
// `loc` says where, `type` is for programs, `msg` for people, `input` is what was sent, where it is
// short, and `ctx` the limit that it passes. They are written down as they are found, in JSON.
// After kFailuresMax, or
// kFailuresBytesMax, no more are.
//
// Resource: one loop. Source of the types: those that pydantic 2 names. Tested by
// request_plan_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/api/limits.h"
#include "tercel/api/parameter.h"
#include "tercel/base/block_pool.h"
#include "tercel/json/value.h"
#include "tercel/json/writer.h"
#include "tercel/schema/error.h"
#include "tercel/schema/pointer.h"
#include "tercel/schema/validator.h"

namespace tercel::api {

// name, type, message
#define TERCEL_API_FAILURES(X)                                                           \
  X(kMissing, "missing", "This value is required.")                                      \
  X(kIntParsing, "int_parsing", "This must be an integer in decimal digits.")            \
  X(kIntSize, "int_parsing_size", "This integer has more digits than the limit.")        \
  X(kFloatParsing, "float_parsing", "This must be a number.")                            \
  X(kFloatSize, "finite_number", "This number is too large.")                            \
  X(kBoolParsing, "bool_parsing", "This must be true, false, yes, no, on, off, 1 or 0.") \
  X(kNotUnicode, "string_unicode", "This must be UTF-8.")                                \
  X(kNotAText, "string_type", "This must be a text, and is a file.")                     \
  X(kNotAFile, "file_type", "This must be a file of a multipart form.")                  \
  X(kTooComplex, "too_complex", "This is too large or too deep to be checked.")

#define TERCEL_API_NAME(name, type, text) name,
enum class FailureKind : std::uint8_t { TERCEL_API_FAILURES(TERCEL_API_NAME) };
#undef TERCEL_API_NAME

// The `type` and the `msg` of a kind.
[[nodiscard]] std::string_view type_of(FailureKind kind) noexcept;
[[nodiscard]] std::string_view message_of(FailureKind kind) noexcept;

class Failures {
 public:
  explicit Failures(BlockPool& blocks) noexcept : writer_{blocks} {}
  Failures(const Failures&) = delete;
  Failures& operator=(const Failures&) = delete;

  void clear() noexcept;

  // A parameter that is not there, or whose text is not what it must be; a text without an address
  // is not repeated.
  void add_missing(const Parameter& parameter) noexcept;
  void add(FailureKind kind, const Parameter& parameter, std::string_view text) noexcept;
  // The body as a whole.
  void add_body(FailureKind kind) noexcept;
  // What a validator has against `root`, which is the value of the parameter, or the body if that
  // is null. Throws std::bad_alloc; clear() is next then.
  void add(const schema::Validator& validator, const Parameter* parameter, json::Value root);

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  // Nothing more is taken.
  [[nodiscard]] bool full() const noexcept {
    return count_ >= kFailuresMax || writer_.size() >= kFailuresBytesMax;
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  // False once memory was exhausted.
  [[nodiscard]] bool ok() const noexcept { return writer_.ok() && !lost_; }
  // The array. Valid until the next call. REQUIRES: it is not empty.
  [[nodiscard]] std::string_view json() noexcept;

 private:
  // There are failures that nobody had the memory to note.
  void lose() noexcept;
  // Adds the limit as `ctx`.
  void add(const schema::Error& error, const Parameter* parameter, json::Value root);
  [[nodiscard]] bool begin(std::string_view type, std::string_view message) noexcept;
  [[nodiscard]] bool begin(FailureKind kind) noexcept;
  void end() noexcept { writer_.end_object(); }

  json::Writer writer_;
  schema::PathFinder finder_;  // In the value of the last failure.
  std::size_t count_ = 0;
  bool closed_ = false;
  bool lost_ = false;
};

}  // namespace tercel::api
