// What a text must be beyond being a text: the predicates behind the rules of row_rules.h.
// Private to row_rules.h. Tested by assign_test.cc.
#pragma once

#include <string_view>

namespace tercel::config {

[[nodiscard]] bool is_something(std::string_view text);
[[nodiscard]] bool is_bind(std::string_view text);
// A number that open() could have returned.
[[nodiscard]] bool is_descriptor(std::string_view text);
// Source: ASGI, "root_path": the same as SCRIPT_NAME in WSGI, so "" or "/prefix".
[[nodiscard]] bool is_root_path(std::string_view text);
// What base/peer_set.h reads.
[[nodiscard]] bool is_peers(std::string_view text);
// "name: value" that cannot split a response, nor change its framing, which is the server's own.
// Source: RFC 9110 sections 5.1 and 5.5.
[[nodiscard]] bool is_header(std::string_view text);
// What config/mount.h reads.
[[nodiscard]] bool is_mount(std::string_view text);

}  // namespace tercel::config
