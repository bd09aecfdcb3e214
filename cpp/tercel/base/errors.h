// Every failure tercel can report, one row each.
//
// The row is the whole story: who is to blame, what a server answers, and a text that is safe to
// show to anyone. Bytes from a peer never enter an error; they go to the log, at the place of the
// failure. docs/reference/errors.md is generated from this table.
#pragma once

#include <cstdint>
#include <string_view>

namespace tercel {

// Who must act. Decides the log level, the counter, and whether a proxy may retry.
enum class Blame : std::uint8_t { kClient, kUpstream, kServer };

// name, blame, HTTP status to answer (0: no answer can be sent), text
#define TERCEL_ERRORS(X)                                                                       \
  X(kClosed, kClient, 0, "the peer closed the connection")                                     \
  X(kReset, kClient, 0, "the peer reset the connection")                                       \
  X(kTruncated, kClient, 400, "the request ended before its body was complete")                \
  X(kHeadTimeout, kClient, 408, "the request head did not arrive in time")                     \
  X(kBodyTimeout, kClient, 408, "the request body did not arrive in time")                     \
  X(kWriteTimeout, kClient, 0, "the peer did not read the response in time")                   \
  X(kIdleTimeout, kClient, 0, "the connection was idle for too long")                          \
  X(kRequestTimeout, kServer, 503, "the request took longer than the server allows")           \
  X(kPlainHttp, kClient, 400, "this port speaks HTTPS, and the request came without TLS")      \
  X(kBadRequestLine, kClient, 400, "the request line is malformed")                            \
  X(kBadTarget, kClient, 400, "the request target is malformed")                               \
  X(kBadVersion, kClient, 505, "the HTTP version is not supported")                            \
  X(kBadMethod, kClient, 501, "the method is not implemented")                                 \
  X(kBadField, kClient, 400, "a header field is malformed")                                    \
  X(kBadHost, kClient, 400, "the Host header field is missing, repeated or malformed")         \
  X(kBadContentLength, kClient, 400, "the Content-Length is not one decimal number")           \
  X(kBadTransferEncoding, kClient, 400, "the Transfer-Encoding must be chunked, alone")        \
  X(kLengthConflict, kClient, 400, "Content-Length and Transfer-Encoding exclude each other")  \
  X(kBadChunk, kClient, 400, "the chunked framing of the body is malformed")                   \
  X(kBadExpectation, kClient, 417, "the expectation is not supported")                         \
  X(kTargetTooLong, kClient, 414, "the request target exceeds the limit")                      \
  X(kHeadTooLarge, kClient, 431, "the request head exceeds the limit")                         \
  X(kTooManyFields, kClient, 431, "the request has more header fields than the limit")         \
  X(kTrailersTooLarge, kClient, 431, "the trailer section exceeds the limit")                  \
  X(kBodyTooLarge, kClient, 413, "the request body exceeds the limit")                         \
  X(kBadJson, kClient, 400, "the request body is not well-formed JSON")                        \
  X(kBadQuery, kClient, 400, "a percent-escape of the query or form is malformed")             \
  X(kTooManyPairs, kClient, 400, "the query or form has more pairs than the limit")            \
  X(kFormTooLarge, kClient, 413, "the form exceeds the limit")                                 \
  X(kTooManyCookies, kClient, 431, "the request has more cookies than the limit")              \
  X(kBadMediaType, kClient, 415, "the Content-Type is malformed")                              \
  X(kBadBoundary, kClient, 400, "the boundary of the form is missing or malformed")            \
  X(kBadForm, kClient, 400, "the boundaries of the form are malformed")                        \
  X(kFormTruncated, kClient, 400, "the form ended before its last boundary")                   \
  X(kBadPart, kClient, 400, "the head of a part of the form is malformed")                     \
  X(kFileTooLarge, kClient, 413, "a file of the form exceeds the limit")                       \
  X(kTooManyParts, kClient, 413, "the form has more parts than the limit")                     \
  X(kPartHeadTooLarge, kClient, 413, "the head of a part of the form exceeds the limit")       \
  X(kPartHeadsTooLarge, kClient, 413, "the heads of all parts of the form exceed the limit")   \
  X(kNotFound, kClient, 404, "nothing is found at this path")                                  \
  X(kMethodNotAllowed, kClient, 405, "the method is not allowed at this path")                 \
  X(kPreconditionFailed, kClient, 412, "it has changed since the client looked at it")         \
  X(kRangeUnsatisfiable, kClient, 416, "no byte of it is in the ranges that are asked for")    \
  X(kRateLimited, kClient, 429, "the client sends more requests than the limit")               \
  X(kBadFrame, kClient, 0, "the client breaks the rules of HTTP/2 for frames")                 \
  X(kFlooded, kClient, 0, "the client sends without end what costs it nothing")                \
  X(kBadHandshake, kClient, 400, "the WebSocket handshake is malformed")                       \
  X(kUpgradeRequired, kClient, 426, "the WebSocket version is not 13")                         \
  X(kUpstreamFailed, kUpstream, 502, "the upstream did not answer")                            \
  X(kUpstreamUnreachable, kUpstream, 502, "no connection to the upstream can be made")         \
  X(kUpstreamUnknown, kUpstream, 502, "the name of the upstream is not known")                 \
  X(kUpstreamUntrusted, kUpstream, 502, "no trusted TLS connection to the upstream was made")  \
  X(kUpstreamReset, kUpstream, 502, "the upstream broke the connection")                       \
  X(kUpstreamMalformed, kUpstream, 502, "the response of the upstream is malformed")           \
  X(kUpstreamTruncated, kUpstream, 502, "the upstream ended before its response was complete") \
  X(kUpstreamTimeout, kUpstream, 504, "the upstream did not answer in time")                   \
  X(kUpstreamBusy, kUpstream, 503, "too many requests wait for the upstream")                  \
  X(kOverloaded, kServer, 503, "the server is at its limit of concurrent requests")            \
  X(kDraining, kServer, 503, "the server is shutting down")                                    \
  X(kNoMemory, kServer, 503, "the server is out of memory")                                    \
  X(kSpoolFull, kServer, 507, "the server has no room for uploaded files")                     \
  X(kSpoolFailed, kServer, 500, "the server cannot store uploaded files")                      \
  X(kNoResponse, kServer, 500, "the application did not send a response")                      \
  X(kHandlerFailed, kServer, 500, "the application failed")                                    \
  X(kBadResponseStatus, kServer, 500, "the response status must be from 200 to 599")           \
  X(kBadResponseField, kServer, 500, "a response header field has a forbidden name or byte")   \
  X(kBadCookie, kServer, 500, "a response cookie has a forbidden name, value or attribute")    \
  X(kBadResponseLength, kServer, 500, "the response Content-Length is not one decimal number") \
  X(kBadSubprotocol, kServer, 500, "the client did not offer this WebSocket subprotocol")      \
  X(kResponseTooLong, kServer, 500, "the response body is longer than its Content-Length")     \
  X(kResponseTooShort, kServer, 500, "the response body is shorter than its Content-Length")   \
  X(kBadSchema, kServer, 500, "the JSON Schema cannot be compiled")                            \
  X(kNotANumber, kClient, 400, "the text is not a number in range")                            \
  X(kIllegalStep, kServer, 500, "internal error: step out of order")                           \
  X(kAddressInUse, kServer, 0, "the address is in use")                                        \
  X(kAddressInvalid, kServer, 0, "the address is not one this machine can bind")               \
  X(kPermission, kServer, 0, "the system denied permission")                                   \
  X(kTooManyFiles, kServer, 503, "the process is out of file descriptors")                     \
  X(kSystem, kServer, 500, "a system call failed")

#define TERCEL_NAME(name, blame, status, text) name,
enum class Errc : std::uint16_t { TERCEL_ERRORS(TERCEL_NAME) };
#undef TERCEL_NAME

struct ErrorInfo {
  Blame blame;
  std::uint16_t http_status;
  std::string_view name;
  std::string_view text;
};

[[nodiscard]] constexpr ErrorInfo info(Errc error) noexcept {
#define TERCEL_ROW(name, blame, status, text) \
  {Blame::blame, status, std::string_view(#name).substr(1), text},
  constexpr ErrorInfo kTable[] = {TERCEL_ERRORS(TERCEL_ROW)};
#undef TERCEL_ROW
  return kTable[static_cast<std::uint16_t>(error)];
}

}  // namespace tercel
