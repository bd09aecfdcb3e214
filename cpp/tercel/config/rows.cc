// The rows of the settings table, and nothing else. See table.h for what a row means.
#include <algorithm>
#include <array>

#include "tercel/config/bind.h"
#include "tercel/config/rules.h"
#include "tercel/config/table.h"

namespace tercel::config {
namespace {

// --- rules

constexpr Rule kIsHost{valid_host, "an IP address without brackets or a host name"};
constexpr Rule kIsBind{is_bind, "host:port, [ipv6]:port, unix:/path or fd://number"};
constexpr Rule kIsUnixPath{valid_unix_path, "a path of 1 to 107 bytes"};
constexpr Rule kIsDescriptor{is_descriptor, "the number of an open file descriptor"};
constexpr Rule kIsRootPath{is_root_path,
                           "empty, or a path such as /api, with a slash before it and none behind"};
constexpr Rule kIsPeers{
    is_peers,
    "IP addresses, blocks such as 10.0.0.0/8, unix, or * for everybody, or empty for "
    "nobody"};
constexpr Rule kIsForwardedHeaders{is_something,
                                   "x-forwarded-for, x-real-ip or forwarded, x-forwarded-proto, "
                                   "x-forwarded-host, x-forwarded-prefix"};
constexpr Rule kIsHeader{is_header,
                         "\"name: value\" in ASCII, and not a field of the framing such as "
                         "Content-Length or Connection"};
constexpr Rule kIsSomething{is_something, "a text that is not empty"};

// --- ranges

constexpr std::uint64_t kMillisecond = 1;
constexpr std::uint64_t kSecond = 1000;
constexpr std::uint64_t kDay = 86'400 * kSecond;
constexpr std::uint64_t kYear = 365 * kDay;
constexpr std::uint64_t kTiB = kMiB * kMiB;

constexpr std::string_view kNoLimit = "no limit";
constexpr std::string_view kNoMoreTime = "no more time";

// --- the table

constexpr Row kApplication[] = {
    {.name = "app",
     .group = Group::kApplication,
     .member = &Settings::app,
     .help = "The application, as module:attribute (main:app). On the command line it is written "
             "without the option's name.",
     .rule = &kIsSomething,
     .where = Where::kProcess},
    {.name = "factory",
     .group = Group::kApplication,
     .member = &Settings::factory,
     .help = "The attribute is a function without arguments that returns the application."},
    {.name = "app-dir",
     .group = Group::kApplication,
     .member = &Settings::app_dir,
     .help = "Folder that is put first on the import path.",
     .rule = &kIsSomething},
    {.name = "env-file",
     .group = Group::kApplication,
     .member = &Settings::env_file,
     .help = "File of NAME=value lines that become environment variables before the application "
             "is imported. A variable that is set already keeps its value.",
     .rule = &kIsSomething,
     .where = Where::kProcess},
    {.name = "root-path",
     .group = Group::kApplication,
     .member = &Settings::root_path,
     .help = "Prefix under which a proxy publishes the application and which it takes off before "
             "it forwards a request. It is given to the application as root_path, and put in "
             "front of path.",
     .rule = &kIsRootPath},
    {.name = "root-path-strip",
     .group = Group::kApplication,
     .member = &Settings::root_path_strip,
     .help = "The proxy does not take root-path off: it is there to be stripped by whoever needs "
             "the rest, and path stays as it came."},
    {.name = "interface",
     .group = Group::kApplication,
     .member = &Settings::interface,
     .help = "Kind of the application. auto looks at it."},
    {.name = "lifespan",
     .group = Group::kApplication,
     .member = &Settings::lifespan,
     .help = "Start-up and shutdown events for the application. on: an application that does not "
             "handle them ends the start; auto: it is served without; off: no events."},
    {.name = "timeout-lifespan-startup",
     .group = Group::kApplication,
     .member = &Settings::timeout_lifespan_startup,
     .help = "Time the application may take to start up. After it the start has failed.",
     .min = kMillisecond,
     .max = kYear,
     .zero = kNoLimit},
    {.name = "timeout-lifespan-shutdown",
     .group = Group::kApplication,
     .member = &Settings::timeout_lifespan_shutdown,
     .help = "Time the application may take to shut down once every request has ended. After it "
             "the application is cancelled.",
     .min = kMillisecond,
     .max = kYear,
     .zero = kNoLimit},
    {.name = "cancel-on-disconnect",
     .group = Group::kApplication,
     .member = &Settings::cancel_on_disconnect,
     .help = "Cancel the task of a request whose client has gone. Without it the application "
             "learns from http.disconnect, or from the OSError of send()."},
};

constexpr Row kListen[] = {
    {.name = "host",
     .group = Group::kListen,
     .member = &Settings::host,
     .help = "Address or name to listen on; 0.0.0.0 for every IPv4 address, :: for every address.",
     .rule = &kIsHost},
    {.name = "port",
     .group = Group::kListen,
     .member = &Settings::port,
     .help = "Port to listen on; 0 picks a free one.",
     .max = 65535},
    {.name = "bind",
     .group = Group::kListen,
     .member = &Settings::bind,
     .help = "Address to listen on; repeatable. Replaces host and port.",
     .rule = &kIsBind},
    {.name = "uds",
     .group = Group::kListen,
     .member = &Settings::uds,
     .help = "Path of a Unix socket to listen on. Replaces host and port.",
     .rule = &kIsUnixPath},
    {.name = "uds-mode",
     .group = Group::kListen,
     .member = &Settings::uds_mode,
     .help = "Permissions of the Unix sockets.",
     .max = 0777},
    {.name = "fd",
     .group = Group::kListen,
     .member = &Settings::fd,
     .help = "Descriptor of a socket that listens already. Replaces host and port.",
     .rule = &kIsDescriptor},
    {.name = "backlog",
     .group = Group::kListen,
     .member = &Settings::backlog,
     .help = "Connections the kernel keeps until they are accepted; net.core.somaxconn may be "
             "lower and then wins.",
     .min = 1,
     .max = 65535,
     .unit = "connections"},
    {.name = "reuse-port",
     .group = Group::kListen,
     .member = &Settings::reuse_port,
     .help = "Let other processes listen on the same port; the kernel spreads the connections "
             "(SO_REUSEPORT)."},
    {.name = "tcp-keepalive",
     .group = Group::kListen,
     .member = &Settings::tcp_keepalive,
     .help = "Silence on a connection after which the kernel asks whether the peer is still there. "
             "Three questions without an answer, a third of this time apart, end the connection. "
             "Rounded up to whole seconds.",
     .min = kSecond,
     .max = 32'767 * kSecond,
     .zero = "never asks"},
    {.name = "tcp-user-timeout",
     .group = Group::kListen,
     .member = &Settings::tcp_user_timeout,
     .help = "Time that sent bytes may wait for the peer's kernel to acknowledge them. Then the "
             "connection ends (TCP_USER_TIMEOUT).",
     .min = kMillisecond,
     .max = kDay,
     .zero = "the kernel's limit, about 15 minutes"},
    {.name = "tcp-fast-open",
     .group = Group::kListen,
     .member = &Settings::tcp_fast_open,
     .help = "Connections that may bring a request in their first packet and are not confirmed yet "
             "(TCP_FASTOPEN; net.ipv4.tcp_fastopen has to be 2 or 3). Such a packet can arrive "
             "twice, and its request with it.",
     .min = 1,
     .max = 65535,
     .zero = "not offered",
     .unit = "connections"},
};

constexpr Row kTls[] = {
    {.name = "ssl-certfile",
     .group = Group::kTls,
     .member = &Settings::ssl_certfile,
     .help = "Certificate in PEM, its own first, then the chain up to the root: every address is "
             "served with TLS. Repeatable: a client that asks for a name gets the first one that "
             "is valid for it, any other the first of all.",
     .rule = &kIsSomething},
    {.name = "ssl-keyfile",
     .group = Group::kTls,
     .member = &Settings::ssl_keyfile,
     .help = "Private key in PEM of the certificate in the same place of ssl-certfile. None at "
             "all: the files of the certificates hold them.",
     .rule = &kIsSomething},
    {.name = "ssl-keyfile-password",
     .group = Group::kTls,
     .member = &Settings::ssl_keyfile_password,
     .help = "Password of the keys that are encrypted. Everybody on the machine can read a command "
             "line: set the variable instead.",
     .rule = &kIsSomething},
    {.name = "ssl-min-version",
     .group = Group::kTls,
     .member = &Settings::ssl_min_version,
     .help = "Oldest version of TLS that a client may speak."},
    {.name = "ssl-ciphers",
     .group = Group::kTls,
     .member = &Settings::ssl_ciphers,
     .help = "Ciphers of TLS 1.2, in OpenSSL's notation, the preferred first. Without it those "
             "with forward secrecy and authenticated encryption.",
     .rule = &kIsSomething},
    {.name = "ssl-ciphersuites",
     .group = Group::kTls,
     .member = &Settings::ssl_ciphersuites,
     .help = "Cipher suites of TLS 1.3, separated by colons. Without it OpenSSL's choice.",
     .rule = &kIsSomething},
    {.name = "ssl-groups",
     .group = Group::kTls,
     .member = &Settings::ssl_groups,
     .help = "Groups of the key exchange, such as X25519:P-256. Without it OpenSSL's choice.",
     .rule = &kIsSomething},
    {.name = "ssl-cert-reqs",
     .group = Group::kTls,
     .member = &Settings::ssl_cert_reqs,
     .help = "Whether clients have to show a certificate that ssl-ca-certs vouches for. optional: "
             "a client may have none, but no bad one."},
    {.name = "ssl-ca-certs",
     .group = Group::kTls,
     .member = &Settings::ssl_ca_certs,
     .help = "Certificates in PEM of those who sign the certificates of clients.",
     .rule = &kIsSomething},
    {.name = "ssl-crlfile",
     .group = Group::kTls,
     .member = &Settings::ssl_crlfile,
     .help = "Revocation lists in PEM, of each who signs for clients. A client whose certificate "
             "is on one is refused.",
     .rule = &kIsSomething},
    {.name = "ssl-ktls",
     .group = Group::kTls,
     .member = &Settings::ssl_ktls,
     .help = "Leave the encryption to the kernel where it and OpenSSL can do it, so that files go "
             "out by sendfile(). Where they cannot, OpenSSL encrypts."},
    {.name = "timeout-ssl-handshake",
     .group = Group::kTls,
     .member = &Settings::timeout_ssl_handshake,
     .help = "Time for the handshake of a connection. Then it is closed.",
     .min = kMillisecond,
     .max = kDay},
};

constexpr Row kProxy[] = {
    {.name = "proxy-headers",
     .group = Group::kProxy,
     .member = &Settings::proxy_headers,
     .help = "Believe what trusted proxies say about the client, in the fields of "
             "forwarded-headers."},
    {.name = "forwarded-allow-ips",
     .group = Group::kProxy,
     .member = &Settings::forwarded_allow_ips,
     .help = "Proxies that are trusted; the client is the last address in the chain that is none "
             "of them. unix: everybody who may open the Unix sockets.",
     .rule = &kIsPeers},
    {.name = "forwarded-headers",
     .group = Group::kProxy,
     .member = &Settings::forwarded_headers,
     .help = "Fields that the trusted proxies set or remove in every request. Name no others: "
             "those are the client's to write.",
     .rule = &kIsForwardedHeaders},
};

constexpr Row kRun[] = {
    {.name = "loop",
     .group = Group::kRun,
     .member = &Settings::loop,
     .help = "Event loop of the application. tercel: asyncio with the engine as its selector, the "
             "fastest; asyncio and uvloop: those loops, with the engine attached. auto: tercel.",
     .where = Where::kProcess},
    {.name = "io-threads",
     .group = Group::kRun,
     .member = &Settings::io_threads,
     .help = "Threads that read, parse and write for the application's thread, which then only "
             "runs Python; limits are divided among them. With 0 that thread does it all, for "
             "less CPU in total.",
     .max = 64,
     .unit = "threads"},
    {.name = "dispatch",
     .group = Group::kRun,
     .member = &Settings::dispatch,
     .help = "How the first step of a request runs. direct: at once, and a task only when the "
             "application waits or looks at its task; eager: at once in a task (CPython 3.12); "
             "task: in a task of a later turn. auto: the fastest that is safe here."},
};

constexpr Row kLimits[] = {
    {.name = "limit-connections",
     .group = Group::kLimits,
     .member = &Settings::limit_connections,
     .help =
         "Open connections. Further ones wait in the backlog. With 0, half of the memory that the "
         "machine or the control group has is shared out at 16 KiB each.",
     .min = 1,
     .max = 10'000'000,
     .zero = "as many as the memory allows",
     .unit = "connections"},
    {.name = "limit-connections-per-ip",
     .group = Group::kLimits,
     .member = &Settings::limit_connections_per_ip,
     .help = "Open connections from one IPv4 address, or from one /64 of IPv6. Further ones are "
             "closed at once, unread. Behind a proxy all come from the proxy; Unix sockets are not "
             "limited.",
     .min = 1,
     .max = 10'000'000,
     .zero = kNoLimit,
     .unit = "connections"},
    {.name = "limit-connection-age",
     .group = Group::kLimits,
     .member = &Settings::limit_connection_age,
     .help = "Age at which a connection ends: the response under way, or the next one, says "
             "Connection: close, and an idle connection is closed a moment later. Each connection "
             "gets up to a tenth less, so that those opened together do not end together.",
     .min = kSecond,
     .max = kYear,
     .zero = kNoLimit},
    {.name = "limit-concurrency",
     .group = Group::kLimits,
     .member = &Settings::limit_concurrency,
     .help = "Requests the application works on at a time. Further ones wait in the queue.",
     .min = 1,
     .max = 10'000'000,
     .zero = kNoLimit,
     .unit = "requests"},
    {.name = "limit-queue",
     .group = Group::kLimits,
     .member = &Settings::limit_queue,
     .help = "Requests that may wait because of limit-concurrency. Further ones are answered 503 "
             "with Retry-After.",
     .max = 10'000'000,
     .unit = "requests"},
    {.name = "limit-requests-per-connection",
     .group = Group::kLimits,
     .member = &Settings::limit_requests_per_connection,
     .help = "Requests after which a connection is closed.",
     .min = 1,
     .max = UINT32_MAX,
     .zero = kNoLimit,
     .unit = "requests"},
    {.name = "limit-rate",
     .group = Group::kLimits,
     .member = &Settings::limit_rate,
     .help = "Requests per second from one client: an IPv4 address, or a /64 of IPv6. Above it: "
             "429 with Retry-After, before the application is called. Unix sockets are not "
             "limited.",
     .min = 1,
     .max = 1'000'000,
     .zero = kNoLimit,
     .unit = "requests per second"},
    {.name = "limit-rate-burst",
     .group = Group::kLimits,
     .member = &Settings::limit_rate_burst,
     .help = "Requests that a client may send at once when it was quiet before. Has no effect "
             "without limit-rate.",
     .min = 1,
     .max = 1'000'000,
     .zero = "as many as limit-rate",
     .unit = "requests"},
    {.name = "limit-rate-clients",
     .group = Group::kLimits,
     .member = &Settings::limit_rate_clients,
     .help = "Clients that limit-rate keeps count of, at 16 bytes each; rounded up to a power of "
             "two. When more are active, the count of the least busy ones starts anew.",
     .min = 8,
     .max = 16'777'216,
     .unit = "clients"},
    {.name = "limit-request-target",
     .group = Group::kLimits,
     .member = &Settings::limit_request_target,
     .help = "Path and query of a request, as sent. Above it: 414.",
     .min = 64,
     .max = kMiB},
    {.name = "limit-request-head",
     .group = Group::kLimits,
     .member = &Settings::limit_request_head,
     .help = "Request line and header fields together. Above it: 431.",
     .min = 512,
     .max = kMiB},
    {.name = "limit-request-fields",
     .group = Group::kLimits,
     .member = &Settings::limit_request_fields,
     .help = "Header fields of a request. Above it: 431.",
     .min = 1,
     .max = 256,
     .unit = "fields"},
    {.name = "limit-request-trailers",
     .group = Group::kLimits,
     .member = &Settings::limit_request_trailers,
     .help = "Trailer fields of a request together. Above it: 431.",
     .min = 64,
     .max = kMiB},
    {.name = "limit-request-body",
     .group = Group::kLimits,
     .member = &Settings::limit_request_body,
     .help = "Body of a request, without its framing. Above it: 413.",
     .min = 1,
     .max = kTiB,
     .zero = kNoLimit},
};

constexpr Row kTimeouts[] = {
    {.name = "timeout-request-head",
     .group = Group::kTimeouts,
     .member = &Settings::timeout_request_head,
     .help =
         "Time for the head of a request, from its first byte. Every min-rate-request-head bytes "
         "that came add a second. Then: 408.",
     .min = kMillisecond,
     .max = kDay},
    {.name = "min-rate-request-head",
     .group = Group::kTimeouts,
     .member = &Settings::min_rate_request_head,
     .help = "Bytes that add a second to timeout-request-head: a slower head is cut off.",
     .min = 1,
     .max = kMiB,
     .zero = kNoMoreTime,
     .unit = "bytes per second"},
    {.name = "timeout-request-body",
     .group = Group::kTimeouts,
     .member = &Settings::timeout_request_body,
     .help = "Time that the application may wait for a body in all. Every min-rate-request-body "
             "bytes that came add a second. Then: 408.",
     .min = kMillisecond,
     .max = kDay,
     .zero = kNoLimit},
    {.name = "min-rate-request-body",
     .group = Group::kTimeouts,
     .member = &Settings::min_rate_request_body,
     .help = "Bytes that add a second to timeout-request-body: a slower body is cut off.",
     .min = 1,
     .max = kMiB,
     .zero = kNoMoreTime,
     .unit = "bytes per second"},
    {.name = "timeout-write",
     .group = Group::kTimeouts,
     .member = &Settings::timeout_write,
     .help = "Time that a response may wait for a client that does not read. Every min-rate-write "
             "bytes that it takes add a second. Then: reset.",
     .min = kMillisecond,
     .max = kDay,
     .zero = kNoLimit},
    {.name = "min-rate-write",
     .group = Group::kTimeouts,
     .member = &Settings::min_rate_write,
     .help =
         "Bytes that add a second to timeout-write: a client that reads more slowly is cut off.",
     .min = 1,
     .max = kMiB,
     .zero = kNoMoreTime,
     .unit = "bytes per second"},
    {.name = "timeout-keep-alive",
     .group = Group::kTimeouts,
     .member = &Settings::timeout_keep_alive,
     .help = "Time an idle connection is kept open.",
     .min = kMillisecond,
     .max = kDay},
    {.name = "timeout-request",
     .group = Group::kTimeouts,
     .member = &Settings::timeout_request,
     .help = "Time for a request, from the end of its head to the end of the response. Then: 503, "
             "or closed if the response has begun.",
     .min = kMillisecond,
     .max = kYear,
     .zero = kNoLimit},
    {.name = "timeout-queue",
     .group = Group::kTimeouts,
     .member = &Settings::timeout_queue,
     .help = "Time a request may wait because of limit-concurrency. Then: 503 with Retry-After.",
     .min = kMillisecond,
     .max = kDay,
     .zero = kNoLimit},
    {.name = "timeout-half-close",
     .group = Group::kTimeouts,
     .member = &Settings::timeout_half_close,
     .help = "Time after which a client that closed its sending side during a response counts as "
             "gone.",
     .max = kDay,
     .zero = "at once"},
    {.name = "timeout-stream-grace",
     .group = Group::kTimeouts,
     .member = &Settings::timeout_stream_grace,
     .help = "Time after the start of a shutdown until requests that still run are told "
             "(http.disconnect). timeout-graceful-shutdown bounds it.",
     .max = kDay,
     .zero = "at once"},
    {.name = "timeout-graceful-shutdown",
     .group = Group::kTimeouts,
     .member = &Settings::timeout_graceful_shutdown,
     .help = "Time that requests have to finish at shutdown. Then they are cut off.",
     .max = kDay,
     .zero = "at once"},
};

constexpr Row kWebSocket[] = {
    {.name = "ws",
     .group = Group::kWebSocket,
     .member = &Settings::ws,
     .help = "none: a request for a WebSocket is answered as if it had not asked for one."},
    {.name = "ws-max-size",
     .group = Group::kWebSocket,
     .member = &Settings::ws_max_size,
     .help = "A message that a client sends, after it is decompressed. Above it: closed with 1009.",
     .min = 1,
     .max = 1024 * kMiB},
    {.name = "ws-max-queue",
     .group = Group::kWebSocket,
     .member = &Settings::ws_max_queue,
     .help = "Messages that wait for the application. When there are so many, or 64 KiB of them, "
             "nothing more is read from the client, and its pings are not answered, until some "
             "are taken.",
     .min = 1,
     .max = 65536,
     .unit = "messages"},
    {.name = "ws-ping-interval",
     .group = Group::kWebSocket,
     .member = &Settings::ws_ping_interval,
     .help = "Time between two pings to a client.",
     .min = kMillisecond,
     .max = kDay,
     .zero = "no pings"},
    {.name = "ws-ping-timeout",
     .group = Group::kWebSocket,
     .member = &Settings::ws_ping_timeout,
     .help = "Time a client has after a ping to send anything at all. Then: closed with 1011; the "
             "application is told 1006.",
     .min = kMillisecond,
     .max = kDay,
     .zero = kNoLimit},
    {.name = "ws-handshake-timeout",
     .group = Group::kWebSocket,
     .member = &Settings::ws_handshake_timeout,
     .help = "Time the application has to accept a WebSocket or to refuse it. Then: 503.",
     .min = kMillisecond,
     .max = kDay,
     .zero = kNoLimit},
    {.name = "ws-message-timeout",
     .group = Group::kWebSocket,
     .member = &Settings::ws_message_timeout,
     .help = "Time for a message, from its first byte. Every ws-message-min-rate bytes that came "
             "add a second. Then: closed with 1008.",
     .min = kMillisecond,
     .max = kDay,
     .zero = kNoLimit},
    {.name = "ws-message-min-rate",
     .group = Group::kWebSocket,
     .member = &Settings::ws_message_min_rate,
     .help = "Bytes that add a second to ws-message-timeout: a slower message is cut off.",
     .min = 1,
     .max = kMiB,
     .zero = kNoMoreTime,
     .unit = "bytes per second"},
    {.name = "ws-close-timeout",
     .group = Group::kWebSocket,
     .member = &Settings::ws_close_timeout,
     .help = "Time a client has to answer when the server closes. Then the connection is closed.",
     .min = kMillisecond,
     .max = kDay},
    {.name = "ws-per-message-deflate",
     .group = Group::kWebSocket,
     .member = &Settings::ws_per_message_deflate,
     .help = "Compress messages for clients that offer permessage-deflate."},
    {.name = "ws-deflate-level",
     .group = Group::kWebSocket,
     .member = &Settings::ws_deflate_level,
     .help = "Effort: 1 is fast, 9 is small.",
     .min = 1,
     .max = 9},
    {.name = "ws-deflate-threshold",
     .group = Group::kWebSocket,
     .member = &Settings::ws_deflate_threshold,
     .help = "Shorter messages are sent uncompressed.",
     .max = kMiB,
     .zero = "compress all"},
    {.name = "ws-deflate-window-bits",
     .group = Group::kWebSocket,
     .member = &Settings::ws_deflate_window_bits,
     .help = "Windows of 2^bits bytes for both sides, at most: a WebSocket that compresses keeps 8 "
             "windows and 6 KiB, one that decompresses 1 window and 7 KiB. Clients that do not let "
             "the server choose have 15.",
     .min = 9,
     .max = 15,
     .unit = "bits"},
    {.name = "ws-deflate-takeover",
     .group = Group::kWebSocket,
     .member = &Settings::ws_deflate_takeover,
     .help = "Keep the windows from message to message. Without, a WebSocket keeps none between "
             "messages, and short messages that are alike become less small."},
};

constexpr Row kHttp[] = {
    {.name = "http",
     .group = Group::kHttp,
     .member = &Settings::http,
     .help = "Versions of HTTP that are spoken. auto: HTTP/2 with a client that begins with it "
             "(\"prior knowledge\") or chooses it by ALPN, HTTP/1 with any other."},
    {.name = "http2-max-concurrent-streams",
     .group = Group::kHttp,
     .member = &Settings::http2_max_concurrent_streams,
     .help = "Requests of one HTTP/2 connection at a time. Further ones are refused "
             "(REFUSED_STREAM), and may be sent again.",
     .min = 1,
     .max = 10'000,
     .unit = "requests"},
    {.name = "http2-initial-stream-window-size",
     .group = Group::kHttp,
     .member = &Settings::http2_initial_stream_window_size,
     .help = "Part of an HTTP/2 request body that a client may send before the application reads "
             "any of it; so much is held in memory. Who reads as fast as it comes is sent up to "
             "1 MiB ahead.",
     .min = 1024,
     .max = 16 * kMiB},
    {.name = "date-header",
     .group = Group::kHttp,
     .member = &Settings::date_header,
     .help = "Send Date with every response."},
    {.name = "server-header",
     .group = Group::kHttp,
     .member = &Settings::server_header,
     .help = "Send Server with every response."},
    {.name = "header",
     .group = Group::kHttp,
     .member = &Settings::header,
     .help = "Field to send with every response, as \"name: value\"; repeatable. In a variable: "
             "one a line.",
     .rule = &kIsHeader,
     .separator = '\n'},
};

constexpr Row kLogs[] = {
    {.name = "access-log",
     .group = Group::kLogs,
     .member = &Settings::access_log,
     .help = "Write one line for each request."},
    {.name = "access-log-format",
     .group = Group::kLogs,
     .member = &Settings::access_log_format,
     .help = "timed (common and the duration), common, combined, json, or a format string, see "
             "the access log's page.",
     .rule = &kIsSomething},
    {.name = "access-log-file",
     .group = Group::kLogs,
     .member = &Settings::access_log_file,
     .help = "File the access log is appended to; - for standard output, or for the logger "
             "tercel.access if log-config gives it a handler.",
     .rule = &kIsSomething},
    {.name = "log-level",
     .group = Group::kLogs,
     .member = &Settings::log_level,
     .help = "Least level of the messages that are shown.",
     .where = Where::kProcess},
    {.name = "log-config",
     .group = Group::kLogs,
     .member = &Settings::log_config,
     .help = "File that configures Python's logging: .json and .toml for dictConfig(), anything "
             "else for fileConfig(). Replaces tercel's own configuration.",
     .rule = &kIsSomething,
     .where = Where::kProcess},
    {.name = "use-colors",
     .group = Group::kLogs,
     .member = &Settings::use_colors,
     .help = "Colour in messages. auto: on a terminal.",
     .where = Where::kProcess},
};

template <std::size_t... kSizes>
constexpr auto join(const Row (&... parts)[kSizes]) {
  std::array<Row, (kSizes + ...)> all;
  auto* next = all.data();
  ((next = std::copy(parts, parts + kSizes, next)), ...);
  return all;
}

constexpr std::array kTable =
    join(kApplication, kListen, kTls, kProxy, kRun, kLimits, kTimeouts, kWebSocket, kHttp, kLogs);

}  // namespace

std::span<const Row> table() noexcept {
  return kTable;
}

}  // namespace tercel::config
