// A value that is made once and then only read, for as long as anybody has a hold of it.
//
// For what has no owner that outlives its readers: a request that crosses to another thread may be
// read there when its connection is gone. Everything else has one owner. Thread: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace tercel {

template <typename T>
class SharedConst {
 public:
  SharedConst() noexcept = default;
  // Throws std::bad_alloc.
  explicit SharedConst(T value) : holder_{new Holder{std::move(value)}} {}
  SharedConst(const SharedConst& other) noexcept : holder_{other.holder_} {
    if (holder_ != nullptr) holder_->count.fetch_add(1, std::memory_order_relaxed);
  }
  SharedConst(SharedConst&& other) noexcept : holder_{std::exchange(other.holder_, nullptr)} {}
  SharedConst& operator=(SharedConst other) noexcept {
    std::swap(holder_, other.holder_);
    return *this;
  }
  ~SharedConst() {
    if (holder_ == nullptr) return;
    if (holder_->count.fetch_sub(1, std::memory_order_acq_rel) == 1) delete holder_;
  }

  explicit operator bool() const noexcept { return holder_ != nullptr; }
  // REQUIRES: not empty.
  const T& operator*() const noexcept { return holder_->value; }
  const T* operator->() const noexcept { return &holder_->value; }

 private:
  struct Holder {
    const T value;
    std::atomic<std::uint32_t> count{1};
  };
  Holder* holder_ = nullptr;
};

}  // namespace tercel
