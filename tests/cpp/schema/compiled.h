// Compiles and validates for tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/json/parser.h"
#include "tercel/schema/registry.h"
#include "tercel/schema/validator.h"

namespace tercel::schema {

inline constexpr std::string_view kTestUri = "test:schema";

// A compiled schema with the registry behind it. Fails its test when it is refused.
class Compiled {
 public:
  explicit Compiled(std::string_view text) {
    EXPECT_TRUE(registry_.add(kTestUri, text)) << registry_.fault().reason;
    Result<Program> program = registry_.compile(kTestUri);
    EXPECT_TRUE(program) << text << ": " << registry_.fault().reason;
    if (program) program_.emplace(std::move(*program));
  }
  [[nodiscard]] const Program& program() const { return *program_; }

 private:
  Registry registry_;
  std::optional<Program> program_;
};

// A parsed text with the memory behind it.
class Document {
 public:
  explicit Document(std::string_view text) {
    json::Parser parser;
    EXPECT_TRUE(
        parser.parse(text, document_,
                     {.depth_max = json::ParseOptions::kDepthMax, .text = json::TextPolicy::kCopy}))
        << text.substr(0, 100);
  }
  [[nodiscard]] json::Value root() const { return document_.root(); }

 private:
  json::Document document_;
};

// "/path keyword", with the name of the property behind it where there is one.
inline std::vector<std::string> error_list(const Validator& validator, json::Value root) {
  std::vector<std::string> list;
  for (const Error& error : validator.errors()) {
    std::string text =
        to_pointer(find_path(root, error.value)) + ' ' + std::string{info(error.keyword).name};
    if (!error.name.empty()) text += ' ' + std::string{error.name};
    list.push_back(std::move(text));
  }
  return list;
}

inline std::vector<std::string> errors_of(std::string_view schema, std::string_view document,
                                          ValidateOptions options = {}) {
  const Compiled compiled{schema};
  const Document parsed{document};
  Validator validator{options};
  const bool valid = validator.validate(compiled.program(), parsed.root());
  EXPECT_EQ(valid, validator.errors().empty());
  return error_list(validator, parsed.root());
}

inline bool is_valid(std::string_view schema, std::string_view document,
                     ValidateOptions options = {}) {
  return errors_of(schema, document, options).empty();
}

}  // namespace tercel::schema
