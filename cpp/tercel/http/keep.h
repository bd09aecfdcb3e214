// Sees to it that what a payload or a file range owns is released exactly once, sent or not.
//
//   Keep<Payload> keep{payload};
//   if (!legal) return fail(...);  // Released here,
//   wire.send(keep.pass_on());     // or by whoever it was passed on to.
//
// Resource: lives in one function.
#pragma once

namespace tercel::http {

template <typename Owned>
class Keep {
 public:
  explicit Keep(Owned owned) noexcept : owned_{owned} {}
  Keep(const Keep&) = delete;
  Keep& operator=(const Keep&) = delete;
  ~Keep() {
    if (owned_.release != nullptr) owned_.release(owned_.owner);
  }
  [[nodiscard]] Owned pass_on() noexcept {
    Owned passed = owned_;
    owned_.release = nullptr;
    return passed;
  }

 private:
  Owned owned_;
};

}  // namespace tercel::http
