// Documents of the gateway that go to a client in place of what the backend answered.
//
// An error that is none of S3, the page of a proxy before the storage for one, means nothing to an
// S3 client and may tell where the backend is: the client gets an S3 error with the same status.
// A pinned region is the one that clients sign for, wherever the bucket is: the backend's would
// have them refused. Functions; they throw std::bad_alloc. Source: AWS, "S3 API Reference: Error
// responses", GetBucketLocation. Tested by own_text_test.cc and tests/python/test_s3_names.py.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tercel/s3/error_body.h"
#include "tercel/s3/operation.h"

namespace tercel::gateway {

struct OwnText {
  std::string document;
  std::string_view error_code = {};  // Of an error: a literal.
};

// `status` is 300 or more. REQUIRES: `scratch` as write_error_body().
[[nodiscard]] OwnText error_text(std::uint16_t status, s3::Level level,
                                 const s3::ErrorContext& context, std::span<char> scratch);

// The answer to GetBucketLocation.
[[nodiscard]] OwnText location_text(std::string_view region);

}  // namespace tercel::gateway
