// A value of a parsed document: a cursor of one pointer, to be passed by value.
//
//   for (const json::Member member : value.members()) {
//     if (member.key() == "price" && member.value().is_number()) ...
//   }
//
// A value. Valid as long as its document holds what was parsed, and so are the texts it returns.
// Walking allocates nothing and may be repeated. What asks for a kind REQUIRES that kind: size() an
// array or an object, string() a string, and so on. as() and get() ask what it is first, for texts
// that anybody may have written:
//
//   const auto name = value.get<std::string_view>("name");
//   if (!name) ... there is no such member, or it is no string
//
// Cost: O(1), unless said. Tested by value_test.cc.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <type_traits>

#include "tercel/base/assert.h"
#include "tercel/json/node.h"

namespace tercel::json {

class Elements;
class Members;

class Value {
 public:
  explicit Value(const Node* node) noexcept : node_{node} {}

  [[nodiscard]] Kind kind() const noexcept { return node_->kind; }
  [[nodiscard]] bool is_null() const noexcept { return kind() == Kind::kNull; }
  [[nodiscard]] bool is_boolean() const noexcept {
    return kind() == Kind::kFalse || kind() == Kind::kTrue;
  }
  [[nodiscard]] bool is_number() const noexcept {
    return kind() >= Kind::kInteger && kind() <= Kind::kDecimal;
  }
  [[nodiscard]] bool is_string() const noexcept { return kind() == Kind::kString; }
  [[nodiscard]] bool is_array() const noexcept { return kind() == Kind::kArray; }
  [[nodiscard]] bool is_object() const noexcept { return kind() == Kind::kObject; }

  [[nodiscard]] bool boolean() const noexcept {
    TERCEL_ASSERT(is_boolean());
    return kind() == Kind::kTrue;
  }

  // REQUIRES: kInteger.
  [[nodiscard]] std::int64_t int64() const noexcept {
    TERCEL_ASSERT(kind() == Kind::kInteger);
    return node_->integer;
  }
  // REQUIRES: kUnsigned. Above INT64_MAX.
  [[nodiscard]] std::uint64_t uint64() const noexcept {
    TERCEL_ASSERT(kind() == Kind::kUnsigned);
    return node_->natural;
  }
  // The nearest double of any number; infinite when it is beyond them. Cost: O(digits) for a big
  // integer.
  [[nodiscard]] double float64() const noexcept {
    if (kind() == Kind::kDecimal) return node_->decimal;
    return kind() == Kind::kInteger ? static_cast<double>(node_->integer) : large_float64();
  }
  // As it is written. REQUIRES: kBigInteger or kDecimal.
  [[nodiscard]] std::string_view number_text() const noexcept {
    TERCEL_ASSERT(kind() == Kind::kBigInteger || kind() == Kind::kDecimal);
    return {kind() == Kind::kDecimal ? node_[1].text : node_->text, node_->size};
  }

  // Valid UTF-8, without quotes and escapes; it may hold NUL.
  [[nodiscard]] std::string_view string() const noexcept {
    TERCEL_ASSERT(is_string());
    return {node_->text, node_->size};
  }

  // Elements of an array, or members of an object.
  [[nodiscard]] std::size_t size() const noexcept {
    TERCEL_ASSERT(is_array() || is_object());
    return static_cast<std::size_t>(node_->count);
  }
  [[nodiscard]] Elements elements() const noexcept;
  // A key is there once: parsing settles duplicates.
  [[nodiscard]] Members members() const noexcept;
  // The member of that name. Cost: O(size()).
  [[nodiscard]] std::optional<Value> find(std::string_view key) const noexcept;

  // The value as a T, which is bool, std::int64_t, double (of any number), std::string_view or
  // Value. Nothing: it is of another kind, or beyond what a T holds.
  template <typename T>
  [[nodiscard]] std::optional<T> as() const noexcept;
  // The member of that name as a T. Nothing also when this is no object, or has none. Cost:
  // O(size()).
  template <typename T>
  [[nodiscard]] std::optional<T> get(std::string_view key) const noexcept {
    const std::optional<Value> member = is_object() ? find(key) : std::nullopt;
    return member ? member->as<T>() : std::nullopt;
  }

  // Its place in the document: two values are the same one, not merely equal (equal.h).
  [[nodiscard]] const Node* node() const noexcept { return node_; }
  // What follows in the same array. Not to be read behind the last.
  [[nodiscard]] Value next() const noexcept {
    return Value{node_ + (node_->step != 0 ? node_->step : node_->size)};
  }

 private:
  [[nodiscard]] double large_float64() const noexcept;

  const Node* node_;
};
static_assert(sizeof(Value) == sizeof(void*));

// One member of an object.
class Member {
 public:
  explicit Member(const Node* key) noexcept : key_{key} {}
  [[nodiscard]] std::string_view key() const noexcept { return {key_->text, key_->size}; }
  // Computed when it was parsed: hash_key(key()).
  [[nodiscard]] std::uint16_t key_hash() const noexcept { return key_->key_hash; }
  // The key as a string value.
  [[nodiscard]] Value name() const noexcept { return Value{key_}; }
  [[nodiscard]] Value value() const noexcept { return Value{key_ + 1}; }

 private:
  const Node* key_;
};

// Ranges for `for`.
class Elements {
 public:
  class Iterator {
   public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(const Node* at) noexcept : at_{at} {}
    Value operator*() const noexcept { return at_; }
    Iterator& operator++() noexcept {
      at_ = at_.next();
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return at_.node() == other.at_.node(); }

   private:
    Value at_;
  };

  explicit Elements(const Node* array) noexcept : array_{array} {}
  [[nodiscard]] Iterator begin() const noexcept { return Iterator{array_ + 1}; }
  [[nodiscard]] Iterator end() const noexcept { return Iterator{array_ + array_->size}; }

 private:
  const Node* array_;
};

class Members {
 public:
  class Iterator {
   public:
    using value_type = Member;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(const Node* at) noexcept : at_{at} {}
    Member operator*() const noexcept { return Member{at_}; }
    Iterator& operator++() noexcept {
      at_ = Value{at_ + 1}.next().node();
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return at_ == other.at_; }

   private:
    const Node* at_;
  };

  explicit Members(const Node* object) noexcept : object_{object} {}
  [[nodiscard]] Iterator begin() const noexcept { return Iterator{object_ + 1}; }
  [[nodiscard]] Iterator end() const noexcept { return Iterator{object_ + object_->size}; }

 private:
  const Node* object_;
};

template <typename T>
std::optional<T> Value::as() const noexcept {
  if constexpr (std::is_same_v<T, bool>) {
    if (is_boolean()) return boolean();
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    if (kind() == Kind::kInteger) return int64();
  } else if constexpr (std::is_same_v<T, double>) {
    if (const double number = is_number() ? float64() : HUGE_VAL; std::isfinite(number)) {
      return number;
    }
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    if (is_string()) return string();
  } else {
    static_assert(std::is_same_v<T, Value>, "a value is none of these");
    return *this;
  }
  return std::nullopt;
}

inline Elements Value::elements() const noexcept {
  TERCEL_ASSERT(is_array());
  return Elements{node_};
}
inline Members Value::members() const noexcept {
  TERCEL_ASSERT(is_object());
  return Members{node_};
}

}  // namespace tercel::json
