// Request fields with which some backends do more than S3 does, and more than a policy was asked.
//
//   if (is_extension(field.name)) continue;              // Is not sent.
//   if (unpacks(field)) return Refusal{kNotImplemented}; // Would write keys that nobody judged.
//
// MinIO and RustFS have fields of their own: with "x-minio-force-delete" a DELETE takes a whole
// folder, others are for replication and write what a client could not. Behind CGI and its like a
// name is the same with "_" for "-", so "x_amz_copy_source" makes a copy of a PUT: no field of S3
// has a "_", but names of metadata may. Functions of names in lower case. Source: the sources of
// MinIO (cmd/api-router.go, internal/http/headers.go) and RustFS; RFC 3875 section 4.1.18. Tested
// by extensions_test.cc and tests/python/test_s3_extensions.py.
#pragma once

#include <string_view>

#include "tercel/http/message.h"

namespace tercel::gateway {

// Whether a backend may take it for something that S3 does not know, or for another field.
[[nodiscard]] bool is_extension(std::string_view name) noexcept;

// Whether it has the backend unpack a TAR file: an object for each file in it, at the keys that
// the file says, or another field, wherever in the bucket.
[[nodiscard]] bool unpacks(const http::Field& field) noexcept;

}  // namespace tercel::gateway
