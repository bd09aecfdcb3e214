// The rows of WebSocket, and of HTTP. See table.h for what a row means.
//
// Internal to rows.cc.
#pragma once

#include "tercel/config/row_rules.h"
#include "tercel/config/table.h"

namespace tercel::config {

inline constexpr Row kWebSocket[] = {
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

inline constexpr Row kHttp[] = {
    {.name = "http",
     .group = Group::kHttp,
     .member = &Settings::http,
     .help = "Versions of HTTP that are spoken. auto: HTTP/2 with a client that begins with it "
             "(\"prior knowledge\") or chooses it by ALPN, HTTP/1 with any other."},
    {.name = "http2-max-concurrent-streams",
     .group = Group::kHttp,
     .member = &Settings::http2_max_concurrent_streams,
     .help = "Requests of one HTTP/2 connection at a time. Further ones are refused "
             "(REFUSED_STREAM), and may be sent again. A client that has acknowledged the limit "
             "and opens more streams than that ends its connection (PROTOCOL_ERROR).",
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
     .help = "Field to send with every response, as \"name: value\"; repeatable. Server and Date "
             "replace those of the server. In a variable: one a line.",
     .rule = &kIsHeader,
     .separator = '\n'},
    {.name = "static",
     .group = Group::kHttp,
     .member = &Settings::static_folders,
     .help = "Folder whose files are served below a path, as /assets=./dist; repeatable. The "
             "application is not asked: what is missing there is 404. Below the path / it is asked "
             "for what is missing. In a variable: one a line.",
     .rule = &kIsMount,
     .separator = '\n'},
};

inline constexpr Row kCors[] = {
    {.name = "cors-origin",
     .group = Group::kCors,
     .member = &Settings::cors_origin,
     .help = "Origin whose pages may read responses, as https://app.example.com, or "
             "https://*.example.com for all hosts below one, or * for everybody; repeatable. "
             "Preflights are answered without the application, and not counted by limit-rate. "
             "Without it nothing is done: the application may do it.",
     .rule = &kIsSomething},
    {.name = "cors-method",
     .group = Group::kCors,
     .member = &Settings::cors_method,
     .help = "Method that pages of these origins may use, or * for all; repeatable.",
     .rule = &kIsSomething},
    {.name = "cors-header",
     .group = Group::kCors,
     .member = &Settings::cors_header,
     .help = "Header field that pages of these origins may send, besides those that need no "
             "permission, or * for all; repeatable.",
     .rule = &kIsSomething},
    {.name = "cors-expose-header",
     .group = Group::kCors,
     .member = &Settings::cors_expose_header,
     .help = "Header field of responses that pages of these origins may read, besides those that "
             "need no permission; repeatable.",
     .rule = &kIsSomething},
    {.name = "cors-credentials",
     .group = Group::kCors,
     .member = &Settings::cors_credentials,
     .help = "Let pages of these origins send cookies and the like, and read what is answered to "
             "them. Not with the origins * and null."},
    {.name = "cors-private-network",
     .group = Group::kCors,
     .member = &Settings::cors_private_network,
     .help = "Let pages of public networks reach this server in a private one, when their browser "
             "asks (Private Network Access)."},
    {.name = "cors-max-age",
     .group = Group::kCors,
     .member = &Settings::cors_max_age,
     .help = "Time that a browser may keep what a preflight was told.",
     .max = kDay,
     .zero = "not at all"},
};

}  // namespace tercel::config
