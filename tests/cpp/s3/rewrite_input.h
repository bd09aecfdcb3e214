// Ways to present one document to a Rewriter, and what comes out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tercel/s3/rewrite.h"

namespace tercel::s3 {

class RewriteRun {
 public:
  explicit RewriteRun(const RewriteValues& values) : rewriter_{values} {}

  // A copy of exactly the piece's size, so that AddressSanitizer sees the first byte beyond.
  void feed(std::string_view piece) {
    const std::string copy{piece};
    std::string_view bytes{copy};
    while (!failed_) {
      switch (rewriter_.next(bytes)) {
        case Rewriter::Event::kNeedMore:
          if (!bytes.empty()) __builtin_trap();
          return;
        case Rewriter::Event::kData:
          if (rewriter_.data().empty()) __builtin_trap();
          out_ += rewriter_.data();
          break;
        case Rewriter::Event::kFailed:
          failed_ = true;
          break;
      }
    }
  }

  // What came out; "failed", or "incomplete" behind it.
  [[nodiscard]] std::string finish() const {
    if (failed_) return "failed";
    return rewriter_.complete() ? out_ : out_ + "incomplete";
  }
  [[nodiscard]] std::string error_code() const { return std::string{rewriter_.error_code()}; }

 private:
  Rewriter rewriter_;
  std::string out_;
  bool failed_ = false;
};

inline std::string rewrite_in_steps(const RewriteValues& values, std::string_view document,
                                    std::size_t step) {
  RewriteRun run{values};
  for (std::size_t at = 0; at < document.size(); at += step) run.feed(document.substr(at, step));
  return run.finish();
}

inline std::string rewrite_split_at(const RewriteValues& values, std::string_view document,
                                    std::size_t cut) {
  RewriteRun run{values};
  run.feed(document.substr(0, cut));
  run.feed(document.substr(cut));
  return run.finish();
}

}  // namespace tercel::s3
