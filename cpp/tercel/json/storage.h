// Memory for a number of trivial things that is known before they are made.
//
// Resource: moves. What is in it does not survive growing. Running out of memory is a value.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <type_traits>
#include <utility>

namespace tercel::json {

template <typename T>
class Storage {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  Storage() noexcept = default;
  Storage(Storage&& other) noexcept
      : data_{std::exchange(other.data_, nullptr)}, capacity_{std::exchange(other.capacity_, 0)} {}
  Storage& operator=(Storage&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~Storage() { std::free(data_); }

  // Makes room for `count` of them. Returns false, and holds nothing, when memory is exhausted.
  [[nodiscard]] bool reserve(std::size_t count) noexcept {
    if (count <= capacity_) return true;
    release();
    if (count > std::numeric_limits<std::size_t>::max() / kEach) return false;
    data_ = static_cast<T*>(std::malloc(count * kEach));
    capacity_ = data_ == nullptr ? 0 : count;
    return data_ != nullptr;
  }

  // Gives the memory back when it is more than `bytes`.
  void release_above(std::size_t bytes) noexcept {
    if (capacity_ * kEach > bytes) release();
  }

  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  static constexpr std::size_t kEach =
      sizeof(T);  // NOLINT(bugprone-sizeof-expression): T* as well.

  void release() noexcept {
    std::free(std::exchange(data_, nullptr));
    capacity_ = 0;
  }

  T* data_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace tercel::json
