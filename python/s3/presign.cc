#include "python/s3/presign.h"

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "tercel/s3/amz_date.h"
#include "tercel/s3/presign.h"
#include "tercel/s3/signing_key.h"

namespace nb = nanobind;

namespace tercel::python::s3 {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What the error codes mean for who calls it, in Python's words.
const char* sentence(tercel::s3::ErrorCode error) noexcept {
  switch (error) {
    case tercel::s3::ErrorCode::kInvalidURI:
      return "the url has a path or query that is not percent-encoded, or is presigned already";
    case tercel::s3::ErrorCode::kInvalidArgument:
      return "a header is there twice";
    default:
      return "the url has too many parameters";
  }
}

std::string presign(std::string_view method, std::string_view path, std::string_view query,
                    std::string_view host, const Pairs& headers, std::string_view access_key,
                    std::string_view secret, std::string_view token, std::string_view region,
                    std::int64_t now, std::int64_t expires) {
  std::vector<http::Field> fields;
  for (const auto& [name, value] : headers) fields.push_back({name, value});
  const std::chrono::seconds at{now};
  const auto date = tercel::s3::to_amz_date(at);
  const std::string_view day = std::string_view{date.data(), date.size()}.substr(0, 8);
  const tercel::s3::SigningKey key{secret, day, region};
  std::string out;
  const auto error = tercel::s3::write_presigned_query({.method = method,
                                                        .path = path,
                                                        .query = query,
                                                        .host = host,
                                                        .fields = fields,
                                                        .identity = {.access_key = access_key,
                                                                     .key = &key,
                                                                     .region = region,
                                                                     .session_token = token,
                                                                     .time = date},
                                                        .expires = std::chrono::seconds{expires}},
                                                       out);
  if (error) throw nb::value_error(sentence(*error));
  return out;
}

}  // namespace

void bind_presign(nb::module_& module) {
  module.def("presign", &presign, nb::arg("method"), nb::arg("path"), nb::arg("query"),
             nb::arg("host"), nb::arg("headers"), nb::arg("access_key"), nb::arg("secret"),
             nb::arg("token"), nb::arg("region"), nb::arg("now"), nb::arg("expires"),
             "Returns the query of a presigned URL.");
}

}  // namespace tercel::python::s3
