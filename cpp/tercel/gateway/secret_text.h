// A secret: a text whose memory is overwritten when it is not needed any more.
//
// A value. It is never logged, and in no error. Tested by departure_test.cc.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace tercel::gateway {

class SecretText {
 public:
  SecretText() noexcept = default;
  explicit SecretText(std::string_view text) : text_{text} {}
  SecretText(const SecretText&) = default;
  SecretText(SecretText&& other) noexcept : text_{std::move(other.text_)} { other.wipe(); }
  SecretText& operator=(SecretText other) noexcept {
    text_.swap(other.text_);
    return *this;
  }
  ~SecretText() { wipe(); }

  [[nodiscard]] std::string_view view() const noexcept { return text_; }
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

 private:
  void wipe() noexcept {
    // What follows of a store to memory that nobody reads is the compiler's to leave out, but for
    // this function.
    explicit_bzero(text_.data(), text_.size());
    text_.clear();
  }

  std::string text_;
};

}  // namespace tercel::gateway
