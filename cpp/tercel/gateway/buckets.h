// Which backend a bucket is on: by its name, by a pattern of names, or by default.
//
//   Buckets buckets;
//   if (auto problem = buckets.add("logs", backend)) refuse(*problem);
//   buckets.add("tmp-*", other);
//   buckets.add("*", fallback);
//   const Backend* backend = buckets.find("tmp-7");  // other
//
// A name is meant before any pattern, and of two patterns the one with more literal bytes, then the
// one that was added first. A value; find() allocates nothing. Thread: any, once it is complete.
// Cost of find(): constant for names, linear in the number of patterns. Tested by buckets_test.cc.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tercel/gateway/backend.h"

namespace tercel::gateway {

class Buckets {
 public:
  static constexpr std::size_t kPatternsMax = 1024;
  static constexpr std::size_t kPatternBytesMax = 255;

  // A sentence when the name is none, or is there already.
  [[nodiscard]] std::optional<std::string> add(std::string_view name, const Backend& backend);
  // Null: the bucket is on none.
  [[nodiscard]] const Backend* find(std::string_view bucket) const noexcept;
  // One of the backends has rules for pages of other origins.
  [[nodiscard]] bool any_cors() const noexcept { return any_cors_; }
  // Those that are names, in the order of the alphabet: what a list of buckets has.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  struct Pattern {
    std::string text;
    std::size_t literal_bytes;
    std::unique_ptr<const Backend> backend;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  // The names are the operator's: no client adds one.
  std::unordered_map<std::string, std::unique_ptr<const Backend>, Hash, std::equal_to<>> exact_;
  std::vector<Pattern> patterns_;  // Those that are meant before others come first.
  std::vector<std::string> names_;
  bool any_cors_ = false;
};

}  // namespace tercel::gateway
