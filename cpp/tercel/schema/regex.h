// A compiled pattern: linear in the text that it is matched with, on RE2.
//
// The only use of RE2, which knows no way back when memory is exhausted: that ends the process.
// Resource: moves. Thread: matching from any number of threads.
// Tested by regex_test.cc.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace tercel::schema {

class Regex {
 public:
  // Of the program that a pattern becomes, and of the states kept while it is matched. A pattern
  // that needs more does not compile; a match that needs more states forgets some.
  static constexpr std::size_t kMemoryBytesMax = std::size_t{8} << 20;

  Regex() noexcept;
  Regex(Regex&& other) noexcept;
  Regex& operator=(Regex&& other) noexcept;
  ~Regex();

  // Of an ECMA-262 pattern. Returns an empty one, and says in `reason` what is wrong, when it is
  // malformed or has no translation.
  [[nodiscard]] static Regex compile(std::string_view pattern, std::string& reason);
  explicit operator bool() const noexcept { return engine_ != nullptr; }

  // True when it matches anywhere in `text`. REQUIRES: not empty; `text` is UTF-8.
  [[nodiscard]] bool found_in(std::string_view text) const noexcept;

 private:
  std::unique_ptr<re2::RE2> engine_;
};

}  // namespace tercel::schema
