// Media types of an application's own, in which bodies come where JSON is taken.
//
// Whoever reads one makes JSON of it, which is parsed and checked as if it had come: schemas and
// problem documents are the same for all. Thread: the loop's. Tested by body_parser_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tercel/http/media_type.h"

namespace tercel::api {

class MediaReaders {
 public:
  enum class Outcome : std::uint8_t {
    kRead,
    kMalformed,  // 400
    kFailed      // 500: it was logged.
  };

  virtual ~MediaReaders() = default;
  // Who reads a body of that type; nothing: nobody.
  [[nodiscard]] virtual std::optional<std::uint32_t> find(
      const http::MediaType& type) const noexcept = 0;
  // Reads `body` into JSON; if it is malformed, into a sentence for the client. Throws
  // std::bad_alloc.
  [[nodiscard]] virtual Outcome read(std::uint32_t reader, std::string_view body,
                                     std::string& into) = 0;
  // The types, as a sentence has them: "application/yaml or text/csv".
  [[nodiscard]] virtual std::string_view names() const noexcept = 0;
};

}  // namespace tercel::api
