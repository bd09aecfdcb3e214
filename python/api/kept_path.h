// The path of a request, for handlers that answer when it is gone.
//
// Resource: holds what its view points to. Cost: a copy of the bytes; memory is allocated for more
// than kInlineBytes of them. Tested by test_api_errors.py.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>

namespace tercel::python::api {

class KeptPath {
 public:
  static constexpr std::size_t kInlineBytes = 60;

  KeptPath() noexcept = default;
  // Empty afterwards if there is no memory for it.
  explicit KeptPath(std::string_view path) noexcept {
    char* to = inline_.data();
    if (path.size() > kInlineBytes) {
      rest_.reset(new (std::nothrow) char[path.size()]);
      if (!rest_) return;
      to = rest_.get();
    }
    path.copy(to, path.size());
    size_ = static_cast<std::uint32_t>(path.size());
  }

  KeptPath(const KeptPath&) = delete;
  KeptPath& operator=(const KeptPath&) = delete;

  [[nodiscard]] std::string_view view() const noexcept {
    return {rest_ ? rest_.get() : inline_.data(), size_};
  }

 private:
  std::unique_ptr<char[]> rest_;
  std::uint32_t size_ = 0;
  std::array<char, kInlineBytes> inline_;  // Not initialised: most of it is never read.
};

}  // namespace tercel::python::api
