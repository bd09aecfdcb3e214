// Media types of an application's own, as the engine reads bodies in them: functions of Python.
//
// Each is called with the body, bytes, and returns JSON, bytes; or a sentence for the client about
// what is malformed, str; or None: it failed, and that is logged
// (src/tercel/api/media_types.py). Resource: keeps the functions. Thread: one that holds the
// interpreter lock. Tested by test_api_media_types.py.
#pragma once

#include <Python.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python/ref.h"
#include "tercel/api/media_readers.h"

namespace tercel::python::api {

class Media final : public tercel::api::MediaReaders {
 public:
  // `type`: in lower case, without parameters. REQUIRES: it is a media type.
  void add(std::string type, Ref function);
  [[nodiscard]] bool empty() const noexcept { return types_.empty(); }

  [[nodiscard]] std::optional<std::uint32_t> find(
      const http::MediaType& type) const noexcept override;
  [[nodiscard]] Outcome read(std::uint32_t reader, std::string_view body,
                             std::string& into) override;
  [[nodiscard]] std::string_view names() const noexcept override { return names_; }
  int traverse(visitproc visit, void* arg) const;

 private:
  struct Type {
    std::string name;
    std::size_t slash;  // Where it is in the name.
    Ref function;
  };

  std::vector<Type> types_;
  std::string names_;
};

}  // namespace tercel::python::api
