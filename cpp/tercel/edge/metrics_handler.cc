#include "tercel/edge/metrics_handler.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <new>
#include <string_view>

#include "tercel/http/accept.h"

namespace tercel::edge {
namespace {

using http::Field;
using http::Final;
using http::MediaType;
using http::Payload;

constexpr std::string_view kPath = "/metrics";
constexpr std::array<Field, 1> kAllow{{{"allow", "GET, HEAD"}}};

// In the order of MetricsFormat, each with all that a client may ask of it: the texts are the same
// in the older version, and names need no escaping.
constexpr std::array<MediaType, 2> kOffers{
    MediaType{.type = "application",
              .subtype = "openmetrics-text",
              .parameters = "; version=1.0.0; version=0.0.1; charset=utf-8; escaping=allow-utf-8; "
                            "escaping=underscores",
              .boundary = {}},
    MediaType{.type = "text",
              .subtype = "plain",
              .parameters = "; version=0.0.4; charset=utf-8; escaping=underscores",
              .boundary = {}}};

}  // namespace

void MetricsHandler::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  if (request.path != kPath) return exchange.abort(Errc::kNotFound);
  if (request.method != "GET" && request.method != "HEAD") {
    const std::array<Field, 2> fields{kAllow[0], {"content-length", "0"}};
    if (exchange.start({.status = 405, .fields = fields})) {
      (void)exchange.write(Payload::borrow({}), Final::kYes);
    }
    return;
  }
  // Who accepts neither gets the first.
  const auto format =
      static_cast<MetricsFormat>(http::choose_media_type(request.fields, kOffers).value_or(0));
  try {
    MetricsText text{format};
    for (const MetricsSource* const source : sources_) source->write(text);
    const std::string& body = text.finish();
    std::array<char, 20> size;
    const auto end = std::to_chars(size.data(), size.data() + size.size(), body.size()).ptr;
    const std::array<Field, 4> fields{{{"content-type", MetricsText::content_type(format)},
                                       {"content-length", {size.data(), end}},
                                       {"cache-control", "no-store"},
                                       {"vary", "accept"}}};
    if (exchange.start({.status = 200, .fields = fields})) {
      (void)exchange.write(Payload::borrow(body), Final::kYes);
    }
  } catch (const std::bad_alloc&) {
    exchange.abort(Errc::kNoMemory);
  }
}

}  // namespace tercel::edge
