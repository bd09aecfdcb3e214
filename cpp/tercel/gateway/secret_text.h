// A secret: a text whose memory is overwritten when it is not needed any more.
//
// A value. It is never logged, and in no error. It lies in memory of its own, however short it is,
// so that whoever moves it leaves nothing of it behind. Tested by secret_text_test.cc.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace tercel::gateway {

class SecretText {
 public:
  SecretText() noexcept = default;
  explicit SecretText(std::string_view text)
      : bytes_{text.empty() ? nullptr : std::make_unique_for_overwrite<char[]>(text.size())},
        size_{text.size()} {
    text.copy(bytes_.get(), text.size());
  }
  SecretText(const SecretText& other) : SecretText{other.view()} {}
  SecretText(SecretText&& other) noexcept
      : bytes_{std::move(other.bytes_)}, size_{std::exchange(other.size_, 0)} {}
  SecretText& operator=(SecretText other) noexcept {
    bytes_.swap(other.bytes_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~SecretText() {
    // What follows of a store to memory that nobody reads is the compiler's to leave out, but for
    // this function.
    if (size_ > 0) explicit_bzero(bytes_.get(), size_);
  }

  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

}  // namespace tercel::gateway
