// With which credentials requests go to a backend.
//
// Values. Thread: any, once they are complete. Tested by desk_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "tercel/gateway/secret_text.h"

namespace tercel::gateway {

// What becomes of a question about a request.
enum class Verdict : std::uint8_t {
  kYes,
  kNo,       // 403, or 404: there is no such key or bucket, or it may not.
  kFailed,   // 500: the policy raised, or what it answered is none.
  kTimedOut  // 503: it took too long.
};

// A number that no other secret of this process has. Thread: any.
[[nodiscard]] std::uint64_t next_secret_version() noexcept;

// Of an access key of the backend.
struct Hmac {
  std::string access_key;
  SecretText secret;
  SecretText session_token;   // Empty: none.
  std::uint64_t version = 0;  // Differs whenever the secret may differ.
};
// A token that the backend takes as it is, of IBM's IAM for one.
struct Bearer {
  SecretText token;
};

struct Credentials {
  Verdict verdict = Verdict::kFailed;
  std::variant<std::monostate, Hmac, Bearer> value = {};
};

[[nodiscard]] inline std::size_t held_bytes(const Credentials& credentials) noexcept {
  if (const auto* const hmac = std::get_if<Hmac>(&credentials.value)) {
    return hmac->access_key.size() + hmac->secret.view().size() + hmac->session_token.view().size();
  }
  const auto* const bearer = std::get_if<Bearer>(&credentials.value);
  return bearer != nullptr ? bearer->token.view().size() : 0;
}

}  // namespace tercel::gateway
