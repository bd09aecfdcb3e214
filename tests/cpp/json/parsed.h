// Parses for tests.
#pragma once

#include <string_view>

#include <gtest/gtest.h>

#include "json/to_text.h"
#include "tercel/json/parser.h"

namespace tercel::json {

// A parsed text with the memory behind it. Fails its test when the text is refused.
class Parsed {
 public:
  explicit Parsed(std::string_view text, ParseOptions options = {}) {
    options.text = TextPolicy::kCopy;
    Parser parser{KeyedHash{1, 2}};
    const Result<Value> root = parser.parse(text, document_, options);
    EXPECT_TRUE(root) << text << ": " << describe(parser.fault().kind);
  }
  [[nodiscard]] Value root() const { return document_.root(); }
  Value operator*() const { return root(); }
  const Value* operator->() const { return &(root_ = root()); }

 private:
  Document document_;
  mutable Value root_{nullptr};
};

}  // namespace tercel::json
