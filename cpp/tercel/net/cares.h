// The functions of c-ares that tercel calls, found in the library when a name is first resolved.
//
// Internal to tercel/net, and the one file that includes its header. Names are c-ares' own, so that
// its manual is this file's.
#pragma once

#include <ares.h>

namespace tercel::net {

// clang-format off
#define TERCEL_LIBCARES(X)                                                                        \
  X(ares_library_init) X(ares_init_options) X(ares_destroy) X(ares_getaddrinfo)                   \
  X(ares_freeaddrinfo) X(ares_process_fd) X(ares_timeout) X(ares_set_servers_ports_csv)
// clang-format on

struct Cares {
// NOLINTNEXTLINE(bugprone-macro-parentheses): the name of a member.
#define TERCEL_MEMBER(name) decltype(&::name) name;
  TERCEL_LIBCARES(TERCEL_MEMBER)
#undef TERCEL_MEMBER
};

// Loads the library on the first call. Null: it is not there, or too old. Thread: any.
[[nodiscard]] const Cares* find_cares() noexcept;

}  // namespace tercel::net
