// A file in PEM: for OpenSSL to read, and for whoever says why it did not.
//
// What fails here is not left in OpenSSL's queue of errors, and nor is what was there before.
//
// Internal to tercel/net. REQUIRES: OpenSSL is loaded. Throws std::bad_alloc. Tested by
// tls_client_test.cc and tests/python/test_tls.py.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "tercel/net/openssl.h"

namespace tercel::net {

class PemFile {
 public:
  // As much of a file as is looked at to say why it is no good.
  static constexpr std::size_t kContentBytesMax = std::size_t{1} << 20;

  explicit PemFile(const std::string& path);

  // False: it cannot be opened.
  explicit operator bool() const noexcept { return file_ != nullptr; }
  [[nodiscard]] bio_st* get() const noexcept { return file_.get(); }
  // From its beginning; nothing where a pipe has given all that it had, or where error() says why.
  [[nodiscard]] std::string content();
  // The `errno` of what failed; 0: nothing did.
  [[nodiscard]] int error() const noexcept { return error_; }
  // In words.
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  void note(int error);

  struct Free {
    void operator()(bio_st* file) const noexcept { openssl().BIO_free(file); }
  };
  std::unique_ptr<bio_st, Free> file_;
  int error_ = 0;
  std::string reason_;
};

}  // namespace tercel::net
