// What the contexts of both sides of TLS (tls_context.h, tls_client.h) have in common.
//
// REQUIRES: OpenSSL is loaded (openssl.h), but for handles that are empty. Tested with those.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

struct ssl_ctx_st;

namespace tercel::net {

// A context of OpenSSL, which copies share. Thread: any.
class TlsHandle {
 public:
  TlsHandle() noexcept = default;
  // Takes it over; null: empty.
  explicit TlsHandle(ssl_ctx_st* context) noexcept : context_{context} {}
  TlsHandle(const TlsHandle& other) noexcept;
  TlsHandle(TlsHandle&& other) noexcept : context_{std::exchange(other.context_, nullptr)} {}
  TlsHandle& operator=(TlsHandle other) noexcept {
    std::swap(context_, other.context_);
    return *this;
  }
  ~TlsHandle();

  explicit operator bool() const noexcept { return context_ != nullptr; }
  [[nodiscard]] ssl_ctx_st* get() const noexcept { return context_; }
  // It is the caller's then.
  [[nodiscard]] ssl_ctx_st* release() noexcept { return std::exchange(context_, nullptr); }

 private:
  ssl_ctx_st* context_ = nullptr;
};

// Has streams hold little, read whole records and ask no terminal. `wishes`: SSL_OP_... beside
// those that both sides have.
void set_up(ssl_ctx_st* context, std::uint64_t wishes) noexcept;

// What OpenSSL says of its last failure, which it forgets.
[[nodiscard]] std::string openssl_reason();

// For sentences. Not "quoted": for a std::string that would be std::quoted where a header brings
// it.
[[nodiscard]] std::string in_quotes(std::string_view text);

// For whoever is asked for the password of a file, and has none: OpenSSL would ask on the terminal.
int no_password(char*, int, int, void*) noexcept;

}  // namespace tercel::net
