// Every setting of the server, typed: what the command line, the keyword arguments, the environment
// and the TOML file become.
//
// A value. The initialisers are the defaults. Each member has one row in rows_*.h, which holds its
// name for people, its range and its meaning; a setting is added by adding the two. Where a row
// says that 0 is special, the member is 0 when the setting is off.
// Tested by assign_test.cc, which walks the table.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/config/values.h"

namespace tercel::config {

// The enumerators of a choice and, in the same order, what people write.
enum class Interface : std::uint8_t { kAuto, kAsgi3, kWsgi };
enum class Lifespan : std::uint8_t { kAuto, kOn, kOff };
enum class LoopKind : std::uint8_t { kAuto, kTercel, kAsyncio, kUvloop };
enum class Dispatch : std::uint8_t { kAuto, kDirect, kEager, kTask };
enum class TlsVersion : std::uint8_t { k12, k13 };
enum class CertReqs : std::uint8_t { kNone, kOptional, kRequired };
enum class WebSockets : std::uint8_t { kAuto, kNone };
enum class HttpVersions : std::uint8_t { kAuto, kHttp1, kHttp2 };
enum class LogLevel : std::uint8_t { kCritical, kError, kWarning, kInfo, kDebug };

inline constexpr std::array<std::string_view, 3> kInterfaceNames{"auto", "asgi3", "wsgi"};
inline constexpr std::array<std::string_view, 3> kLifespanNames{"auto", "on", "off"};
inline constexpr std::array<std::string_view, 4> kLoopNames{"auto", "tercel", "asyncio", "uvloop"};
inline constexpr std::array<std::string_view, 4> kDispatchNames{"auto", "direct", "eager", "task"};
inline constexpr std::array<std::string_view, 2> kTlsVersionNames{"1.2", "1.3"};
inline constexpr std::array<std::string_view, 3> kCertReqsNames{"none", "optional", "required"};
inline constexpr std::array<std::string_view, 2> kWebSocketsNames{"auto", "none"};
inline constexpr std::array<std::string_view, 3> kHttpVersionsNames{"auto", "1", "2"};
inline constexpr std::array<std::string_view, 5> kLogLevelNames{"critical", "error", "warning",
                                                                "info", "debug"};

using Texts = std::vector<std::string>;

// The order is that of the table, for readers: one Settings a process.
struct Settings {  // NOLINT(clang-analyzer-optin.performance.Padding)
  // The application.
  std::string app;
  bool factory = false;
  std::string app_dir = ".";
  std::string env_file;
  std::string root_path;
  bool root_path_strip = false;
  Interface interface = Interface::kAuto;
  Lifespan lifespan = Lifespan::kAuto;
  Duration timeout_lifespan_startup{0};
  Duration timeout_lifespan_shutdown{30'000};
  bool cancel_on_disconnect = false;

  // Where to listen.
  std::string host = "127.0.0.1";
  std::uint64_t port = 8000;
  std::string uds;
  FileMode uds_mode{0666};
  std::string fd;
  Texts bind;
  std::uint64_t backlog = 2048;
  bool reuse_port = false;
  Duration tcp_keepalive{0};
  Duration tcp_user_timeout{0};
  std::uint64_t tcp_fast_open = 0;
  std::string metrics_bind;

  // TLS.
  Texts ssl_certfile;
  Texts ssl_keyfile;
  std::string ssl_keyfile_password;
  TlsVersion ssl_min_version = TlsVersion::k12;
  std::string ssl_ciphers;
  std::string ssl_ciphersuites;
  std::string ssl_groups;
  CertReqs ssl_cert_reqs = CertReqs::kNone;
  std::string ssl_ca_certs;
  std::string ssl_crlfile;
  bool ssl_ktls = false;
  Duration timeout_ssl_handshake{10'000};

  // Behind a proxy.
  bool proxy_headers = true;
  Texts forwarded_allow_ips{"127.0.0.1", "::1", "unix"};
  Texts forwarded_headers{"x-forwarded-for", "x-forwarded-proto"};

  // How it runs.
  LoopKind loop = LoopKind::kAuto;
  std::uint64_t threads = 0;
  std::uint64_t io_threads = 0;
  Dispatch dispatch = Dispatch::kAuto;

  // Workers.
  std::uint64_t workers = 1;
  bool preload = true;
  Duration timeout_worker{60'000};
  std::uint64_t limit_max_requests = 0;
  Duration limit_worker_lifetime{0};
  Bytes limit_worker_memory{0};
  std::uint64_t recycle_jitter = 10;
  bool reload = false;
  Texts reload_dir;
  Texts reload_include{"*.py"};
  Texts reload_exclude;

  // Limits.
  std::uint64_t limit_connections = 0;
  std::uint64_t limit_connections_per_ip = 0;
  Duration limit_connection_age{0};
  std::uint64_t limit_concurrency = 0;
  std::uint64_t limit_queue = 1024;
  std::uint64_t limit_requests_per_connection = 0;
  std::uint64_t limit_rate = 0;
  std::uint64_t limit_rate_burst = 0;
  std::uint64_t limit_rate_clients = 65'536;
  Bytes limit_request_target{16 * kKiB};
  Bytes limit_request_head{64 * kKiB};
  std::uint64_t limit_request_fields = 128;
  Bytes limit_request_trailers{8 * kKiB};
  Bytes limit_request_body{64 * kMiB, true};

  // Time limits.
  Duration timeout_request_head{5'000};
  Bytes min_rate_request_head{240};
  Duration timeout_request_body{30'000};
  Bytes min_rate_request_body{240};
  Duration timeout_write{30'000};
  Bytes min_rate_write{240};
  Duration timeout_keep_alive{75'000};
  Duration timeout_request{0};
  Duration timeout_queue{10'000};
  Duration timeout_half_close{1'000};
  Duration timeout_stream_grace{5'000};
  Duration timeout_graceful_shutdown{30'000};

  // WebSockets.
  WebSockets ws = WebSockets::kAuto;
  Bytes ws_max_size{16 * kMiB};
  std::uint64_t ws_max_queue = 32;
  Duration ws_ping_interval{20'000};
  Duration ws_ping_timeout{20'000};
  Duration ws_handshake_timeout{30'000};
  Duration ws_message_timeout{30'000};
  Bytes ws_message_min_rate{240};
  Duration ws_close_timeout{10'000};
  bool ws_per_message_deflate = true;
  std::uint64_t ws_deflate_level = 1;
  Bytes ws_deflate_threshold{kKiB};
  std::uint64_t ws_deflate_window_bits = 12;
  bool ws_deflate_takeover = true;

  // HTTP.
  HttpVersions http = HttpVersions::kAuto;
  std::uint64_t http2_max_concurrent_streams = 100;
  Bytes http2_initial_stream_window_size{64 * kKiB};
  bool date_header = true;
  bool server_header = true;
  Texts header;
  Texts static_folders;

  // CORS.
  Texts cors_origin;
  Texts cors_method{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  Texts cors_header;
  Texts cors_expose_header;
  bool cors_credentials = false;
  bool cors_private_network = false;
  Duration cors_max_age{600'000};

  // Logs.
  bool access_log = true;
  std::string access_log_format = "timed";
  std::string access_log_file = "-";
  LogLevel log_level = LogLevel::kInfo;
  std::string log_config;
  Toggle use_colors = Toggle::kAuto;

  bool operator==(const Settings&) const = default;
};

}  // namespace tercel::config
