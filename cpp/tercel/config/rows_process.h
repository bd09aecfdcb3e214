// The rows of the application, of where it listens and of how it runs, and of logs. See table.h for
// what a row means.
//
// Internal to rows.cc.
#pragma once

#include "tercel/config/row_rules.h"
#include "tercel/config/table.h"

namespace tercel::config {

inline constexpr Row kApplication[] = {
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

inline constexpr Row kListen[] = {
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

inline constexpr Row kTls[] = {
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
             "a client may have none, but no bad one. 0, 1 and 2, the numbers of Python's ssl "
             "module, are none, optional and required."},
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

inline constexpr Row kProxy[] = {
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

inline constexpr Row kRun[] = {
    {.name = "loop",
     .group = Group::kRun,
     .member = &Settings::loop,
     .help = "Event loop of the application. tercel: asyncio with the engine as its selector, the "
             "fastest; asyncio and uvloop: those loops, with the engine attached. auto: tercel.",
     .where = Where::kProcess},
    {.name = "threads",
     .group = Group::kRun,
     .member = &Settings::threads,
     .help = "Threads that a WSGI application runs on: so many requests are worked on at a time, "
             "and others wait for one.",
     .max = 1024,
     .zero = "four for each processor",
     .unit = "threads"},
    {.name = "io-threads",
     .group = Group::kRun,
     .member = &Settings::io_threads,
     .help = "Threads that read, parse and write for the application's thread, which then only "
             "runs Python; limits are divided among them. With 0 that thread does it all, for "
             "less CPU in total; a WSGI application has one at least.",
     .max = 64,
     .unit = "threads"},
    {.name = "dispatch",
     .group = Group::kRun,
     .member = &Settings::dispatch,
     .help = "How the first step of a request runs. direct: at once, and a task only when the "
             "application waits or looks at its task; eager: at once in a task (CPython 3.12); "
             "task: in a task of a later turn. auto: the fastest that is safe here."},
};

inline constexpr Row kLogs[] = {
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
     .help = "Least level of the messages that are shown. trace is debug.",
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

}  // namespace tercel::config
