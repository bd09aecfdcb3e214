// Validates documents with programs.
//
//   schema::Validator validator{{.assert_formats = true}};
//   if (!validator.validate(program, document.root())) {
//     for (const schema::Error& error : validator.errors()) ...
//   }
//
// Bounded whatever the document is: nesting and the number of evaluations have limits, patterns are
// linear, uniqueItems hashes with a key that nobody knows. A valid document costs no allocation
// once the validator has seen its like; an invalid one costs that of its errors.
//
// Where an anyOf or a oneOf refuses, and one branch only admits the type of the value, the errors
// are that branch's: for "an object or null" they are those of the object. Where its branches are
// objects that a constant property tells apart, they are those of the branch with that constant.
//
// Resource: one a thread, used again and again; keeps its memory up to kKeptBytesMax.
// Source: JSON Schema 2020-12. Tested by validator_test.cc, suite_test.cc and
// tests/python/test_schema_agrees.py; fuzzed by schema_fuzz.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tercel/base/keyed_hash.h"
#include "tercel/json/storage.h"
#include "tercel/json/value.h"
#include "tercel/schema/error.h"
#include "tercel/schema/program.h"

namespace tercel::schema {

enum class Collect : std::uint8_t { kAll, kFirst };

struct ValidateOptions {
  static constexpr std::uint32_t kErrorsDefault = 100;
  static constexpr std::uint32_t kDepthDefault = 2048;
  static constexpr std::uint64_t kStepsDefault = 20'000'000;

  Collect collect = Collect::kAll;
  bool assert_formats = false;
  std::uint32_t errors_max = kErrorsDefault;  // Kept, at most.
  // Subschemas in each other that are evaluated at once. A stack frame each.
  std::uint32_t depth_max = kDepthDefault;
  // Evaluations of subschemas, and what costs as much: about a second.
  std::uint64_t steps_max = kStepsDefault;
};

enum class Verdict : std::uint8_t {
  kValid,
  kInvalid,
  // Counted as invalid, though nothing is known:
  kTooDeep,    // depth_max.
  kTooCostly,  // steps_max.
  kNoMemory
};

// Bits in a stack: which members or elements of a value were evaluated.
class BitStack {
 public:
  struct Set {
    std::uint32_t word;  // The first of its words.
    std::uint32_t bits;
  };
  // Returns false when memory is exhausted.
  [[nodiscard]] bool push(std::size_t bits, Set& set) noexcept;
  // Takes off `set`, which is the last one.
  void pop(const Set& set) noexcept { used_ = set.word; }
  void set(const Set& set, std::size_t bit) noexcept {
    words_[set.word + bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
  [[nodiscard]] bool test(const Set& set, std::size_t bit) const noexcept {
    return (words_[set.word + bit / 64] >> (bit % 64) & 1) != 0;
  }
  void set_all(const Set& set) noexcept;
  // Adds what is in `from`, of the same size.
  void merge(const Set& into, const Set& from) noexcept;
  void release_above(std::size_t bytes) noexcept;

  BitStack() noexcept = default;
  BitStack(const BitStack&) = delete;
  BitStack& operator=(const BitStack&) = delete;
  ~BitStack();

 private:
  [[nodiscard]] static std::uint32_t words_for(std::size_t bits) noexcept {
    return static_cast<std::uint32_t>((bits + 63) / 64);
  }

  std::uint64_t* words_ = nullptr;
  std::uint32_t used_ = 0;
  std::uint32_t capacity_ = 0;
};

class Validator {
 public:
  static constexpr std::size_t kKeptBytesMax = std::size_t{256} * 1024;

  explicit Validator(ValidateOptions options = {}, KeyedHash hash = KeyedHash::random()) noexcept
      : options_{options}, hash_{hash} {}
  Validator(const Validator&) = delete;
  Validator& operator=(const Validator&) = delete;

  // True when the value is valid. errors() are those of the last call, and end with the next one.
  [[nodiscard]] bool validate(const Program& program, json::Value value) noexcept;
  [[nodiscard]] Verdict verdict() const noexcept { return verdict_; }
  // In the order of evaluation; none when the verdict is above kInvalid.
  [[nodiscard]] std::span<const Error> errors() const noexcept {
    return {errors_.data(), error_count_};
  }
  // True when there were more than errors_max.
  [[nodiscard]] bool truncated() const noexcept { return truncated_; }

 private:
  friend class Run;

  // For uniqueItems.
  struct Slot {
    std::uint64_t hash;
    const json::Node* node;
  };

  ValidateOptions options_;
  KeyedHash hash_;
  Verdict verdict_ = Verdict::kValid;
  bool truncated_ = false;
  std::uint32_t error_count_ = 0;
  json::Storage<Error> errors_;
  json::Storage<Slot> slots_;
  BitStack bits_;
};

}  // namespace tercel::schema
