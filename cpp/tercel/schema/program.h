// A compiled schema.
//
// Resource: moves. Immutable: any number of threads may validate with it. The registry that made it
// outlives it: its texts are there.
#pragma once

#include <cstddef>
#include <memory>

#include "tercel/schema/code.h"

namespace tercel::schema {

class Program {
 public:
  explicit Program(std::unique_ptr<const Code> code) noexcept : code_{std::move(code)} {}

  [[nodiscard]] std::size_t subschemas() const noexcept { return code_->subschemas.size(); }
  [[nodiscard]] std::size_t instructions() const noexcept { return code_->instructions.size(); }
  // Internal to tercel/schema.
  [[nodiscard]] const Code& code() const noexcept { return *code_; }

 private:
  std::unique_ptr<const Code> code_;
};

}  // namespace tercel::schema
