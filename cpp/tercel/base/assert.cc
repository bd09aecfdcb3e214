#include "tercel/base/assert.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "tercel/base/log.h"

namespace tercel {
namespace {

constinit std::atomic<std::uint64_t> bug_count{0};

// "what: condition (file.cc:42)" in a buffer of its own: this runs when memory may be broken.
class Message {
 public:
  Message(std::string_view what, const char* condition, std::string_view file, int line) noexcept {
    add(what);
    add(condition);
    add(" (");
    add(file.substr(file.rfind('/') + 1));  // npos + 1 is 0.
    add(":");
    std::array<char, 12> digits;
    add({digits.data(), std::to_chars(digits.begin(), digits.end(), line).ptr});
    add(")");
  }
  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size_}; }

 private:
  void add(std::string_view part) noexcept {
    const std::size_t taken = std::min(part.size(), text_.size() - size_);
    std::copy_n(part.data(), taken, text_.data() + size_);
    size_ += taken;
  }
  std::array<char, 512> text_;
  std::size_t size_ = 0;
};

constexpr std::string_view kBroken = "internal error, please report it: ";

}  // namespace

bool report_bug(BugSite& site) noexcept {
  bug_count.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t count = site.count.fetch_add(1, std::memory_order_relaxed) + 1;
  if (std::has_single_bit(count)) {
    log(LogLevel::kError, Message(kBroken, site.condition, site.file, site.line).text());
  }
  return true;
}

std::uint64_t bugs_reported() noexcept {
  return bug_count.load(std::memory_order_relaxed);
}

void abort_on_bug(const BugSite& site) noexcept {
  log(LogLevel::kError, Message(kBroken, site.condition, site.file, site.line).text());
  std::abort();
}

void abort_on_assertion(const char* condition, const char* file, int line) noexcept {
  log(LogLevel::kError, Message("assertion failed: ", condition, file, line).text());
  std::abort();
}

}  // namespace tercel
