// The table of status lines.
//
// Internal to tercel/http: see reason_phrase() in h1_writer.h. Tested by h1_writer_test.cc.
#pragma once

#include <cstdint>
#include <string_view>

namespace tercel::http {

// "HTTP/1.1 200 OK\r\n", or empty when IANA lists no such status.
[[nodiscard]] std::string_view known_status_line(std::uint16_t status) noexcept;

}  // namespace tercel::http
