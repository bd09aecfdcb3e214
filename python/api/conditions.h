// What of a request its answer depends on, for handlers that answer when it is gone.
//
// Most requests have none of it, and keep nothing. Tested by test_api_files.py.
#pragma once

#include <memory>

#include "tercel/edge/conditional_answer.h"
#include "tercel/http/message.h"

namespace tercel::python::api {

// Resource.
class Conditions {
 public:
  Conditions(const Conditions&) = delete;
  Conditions& operator=(const Conditions&) = delete;

  // Null: the request has none, or there is no memory, and then it is answered as if it had none.
  [[nodiscard]] static std::unique_ptr<Conditions> keep(const http::Request& request) noexcept;
  // Views into this. Without the path.
  [[nodiscard]] const edge::Asked& asked() const noexcept { return asked_; }

 private:
  Conditions() noexcept = default;

  std::unique_ptr<char[]> memory_;
  edge::Asked asked_;
};

}  // namespace tercel::python::api
