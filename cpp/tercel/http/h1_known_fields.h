// The fields of a message that the engine itself obeys: those that decide over its framing, its
// connection and its host.
//
// Internal to tercel/http. Source: RFC 9112 sections 3.2, 6 and 9, RFC 9110
// sections 7.8, 8.6, 10.1. Tested through h1_head_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/message.h"

namespace tercel::http {

constexpr std::size_t size_and_first(std::string_view name) noexcept {
  return name.size() << 8 | static_cast<unsigned char>(name.front());
}

// False for nearly every name that KnownFields would not look at. Inline, because it is asked for
// every field. REQUIRES: `name` is in lower case and not empty.
inline bool may_be_known(std::string_view name) noexcept {
  switch (size_and_first(name)) {
    case size_and_first("connection"):
    case size_and_first("content-length"):
    case size_and_first("expect"):
    case size_and_first("host"):
    case size_and_first("te"):
    case size_and_first("transfer-encoding"):
    case size_and_first("upgrade"):
      return true;
    default:
      return false;
  }
}

// A value: what the fields said so far. Members are read when the head is complete.
class KnownFields {
 public:
  // Judges one field. Each breach of a rule is reported by the field that completes it. `field`
  // must stay where it is.
  Result<void> note(Field& field, Version version) noexcept;
  // The same for a response, of which only framing and connection count.
  Result<void> note_of_response(const Field& field, Version version) noexcept;

  Field* host = nullptr;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool close = false;
  bool keep_alive = false;
  bool upgrade_option = false;  // Of Connection.
  bool websocket = false;       // Of Upgrade.
  bool expects_continue = false;
  bool accepts_trailers = false;

 private:
  Result<void> note_host(Field& field) noexcept;
  Result<void> note_content_length(std::string_view value) noexcept;
  Result<void> note_transfer_encoding(std::string_view value, Version version) noexcept;
  Result<void> note_expect(std::string_view value, Version version) noexcept;
  void note_connection(std::string_view value) noexcept;
  void note_upgrade(std::string_view value) noexcept;
  void note_te(std::string_view value) noexcept;
};

}  // namespace tercel::http
