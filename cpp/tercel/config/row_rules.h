// What the rows of the settings table share: rules for texts, and the ends of ranges.
//
// Internal to rows.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "tercel/config/bind.h"
#include "tercel/config/rules.h"
#include "tercel/config/table.h"

namespace tercel::config {

// --- rules

inline constexpr Rule kIsHost{valid_host, "an IP address without brackets or a host name"};
inline constexpr Rule kIsBind{is_bind, "host:port, [ipv6]:port, unix:/path or fd://number"};
inline constexpr Rule kIsUnixPath{valid_unix_path, "a path of 1 to 107 bytes"};
inline constexpr Rule kIsDescriptor{is_descriptor, "the number of an open file descriptor"};
inline constexpr Rule kIsRootPath{
    is_root_path, "empty, or a path such as /api, with a slash before it and none behind"};
inline constexpr Rule kIsPeers{
    is_peers,
    "IP addresses, blocks such as 10.0.0.0/8, unix, or * for everybody, or empty for "
    "nobody"};
inline constexpr Rule kIsForwardedHeaders{
    is_something,
    "x-forwarded-for, x-real-ip or forwarded, x-forwarded-proto, "
    "x-forwarded-host, x-forwarded-prefix"};
inline constexpr Rule kIsHeader{is_header,
                                "\"name: value\" in ASCII, and not a field of the framing such as "
                                "Content-Length or Connection"};
inline constexpr Rule kIsMount{is_mount,
                               "path=folder, as /assets=./dist, with a slash before the path and "
                               "none behind"};
inline constexpr Rule kIsSomething{is_something, "a text that is not empty"};

// --- ranges

inline constexpr std::uint64_t kMillisecond = 1;
inline constexpr std::uint64_t kSecond = 1000;
inline constexpr std::uint64_t kDay = 86'400 * kSecond;
inline constexpr std::uint64_t kYear = 365 * kDay;
inline constexpr std::uint64_t kTiB = kMiB * kMiB;

inline constexpr std::string_view kNoLimit = "no limit";
inline constexpr std::string_view kNoMoreTime = "no more time";

}  // namespace tercel::config
