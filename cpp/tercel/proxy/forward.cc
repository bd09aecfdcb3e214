#include "tercel/proxy/forward.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "tercel/base/address.h"
#include "tercel/base/base64.h"
#include "tercel/base/log.h"
#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"

namespace tercel::proxy {
namespace {

constexpr std::chrono::seconds kLogPause{1};
constexpr std::uint16_t kUnavailable = 503;
constexpr std::string_view kXForwarded = "x-forwarded-";
constexpr std::string_view kRealIp = "x-real-ip";
constexpr std::string_view kFor = "x-forwarded-for";
constexpr std::string_view kProto = "x-forwarded-proto";
constexpr std::string_view kHost = "x-forwarded-host";
constexpr std::string_view kPrefix = "x-forwarded-prefix";
constexpr std::string_view kForwarded = "forwarded";
constexpr std::string_view kVia = "via";
constexpr std::string_view kKey = "sec-websocket-key";
constexpr std::string_view kMaxForwards = "max-forwards";

std::string_view version_text(http::Version version) noexcept {
  switch (version) {
    case http::Version::kHttp10:
      return "1.0 ";
    case http::Version::kHttp11:
      return "1.1 ";
    case http::Version::kHttp2:
      return "2.0 ";
  }
  return "1.1 ";
}

bool says_ours(Trail trail) noexcept {
  return trail == Trail::kReplace || trail == Trail::kAppend;
}

// Whether `name` begins so, for servers that take "_" for "-".
bool begins_like(std::string_view name, std::string_view known) noexcept {
  const auto plain = [](char c) noexcept { return c == '_' ? '-' : c; };
  return name.size() >= known.size() &&
         std::ranges::equal(known, name.substr(0, known.size()), {}, plain, plain);
}
bool is_like(std::string_view name, std::string_view known) noexcept {
  return name.size() == known.size() && begins_like(name, known);
}

// Whether there is anything to say about a field of that name.
bool is_edited(const std::vector<FieldEdit>& edits, std::string_view name) noexcept {
  return std::ranges::any_of(edits,
                             [name](const FieldEdit& edit) { return is_like(name, edit.name); });
}

// How many servers an OPTIONS may still be passed on to. Nothing: as many as there are. Source: RFC
// 9110 section 7.6.2; TRACE, of which it speaks, too, is refused by the sessions.
std::optional<std::uint64_t> forwards_left(const http::Request& request) noexcept {
  if (request.method != "OPTIONS") return std::nullopt;
  const http::Field* const field = http::find_field(request.fields, kMaxForwards);
  const auto left = field != nullptr ? parse_decimal(field->value) : fail(Errc::kNotANumber);
  return left ? std::optional{*left} : std::nullopt;
}

void add_unless_edited(const std::vector<FieldEdit>& edits, FieldDraft& draft,
                       std::string_view name, std::string_view value) noexcept {
  if (!is_edited(edits, name)) draft.add(name, value);
}

void add_edited(const std::vector<FieldEdit>& edits, FieldDraft& draft) noexcept {
  for (const FieldEdit& edit : edits) {
    if (edit.value) draft.add(edit.name, *edit.value);
  }
}

std::string_view number_text(std::uint64_t number, FieldDraft& draft) noexcept {
  std::array<char, 20> digits;
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return draft.text({{digits.data(), static_cast<std::size_t>(written.ptr - digits.data())}});
}

// RFC 7239 sections 4 and 6: what is no token is quoted, and so is IPv6, in brackets.
std::string_view node_of(std::string_view host, FieldDraft& draft) noexcept {
  if (host.empty()) return "unknown";
  return host.find(':') == std::string_view::npos ? host : draft.text({"\"[", host, "]\""});
}

}  // namespace

std::string_view origin_form(const http::Request& request, FieldDraft& draft) noexcept {
  if (request.target.starts_with('/') || request.target == "*") return request.target;
  // Of an absolute target: behind its authority. Of what lost a prefix: what is left.
  if (request.query.empty()) return request.path;
  return draft.text({request.path, "?", request.query});
}

bool Forward::goes_round(const http::Request& request) const noexcept {
  if (options_.via.empty()) return false;
  std::size_t rounds = 0;
  for (const http::Field& field : request.fields) {
    if (field.name != kVia) continue;
    for (std::string_view list = field.value; !list.empty();) {
      // "1.1 name (comment)". A comma in a comment makes more of it, none of which is a name.
      std::string_view member = http::next_element(list);
      static_cast<void>(http::next_element(member, ' '));
      if (http::next_element(member, ' ') == options_.via) ++rounds;
    }
  }
  return rounds >= kRoundsMax;
}

void Forward::answer_round(http::Exchange& exchange) noexcept {
  constexpr std::string_view kText = "The request goes round in circles.\n";
  constexpr std::array<http::Field, 2> kFields{
      {{"content-type", "text/plain; charset=utf-8"}, {"content-length", "35"}}};
  static_assert(kText.size() == 35);
  log_failure("the request goes round in circles");
  if (exchange.start({.status = 508, .fields = kFields})) {
    (void)exchange.write(http::Payload::borrow(kText), http::Final::kYes);
  }
}

void Forward::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  if (goes_round(request)) return answer_round(exchange);
  if (forwards_left(request) != 0U) return Relay::start(context_, *this, request, exchange);
  if (exchange.start({.status = 204, .fields = {}})) {
    (void)exchange.write(http::Payload::borrow({}), http::Final::kYes);
  }
}

bool Forward::goes_on(const http::Request& from, std::string_view name) const noexcept {
  if (is_edited(options_.request_fields, name)) return false;
  if (name == kKey) return from.version != http::Version::kHttp2;
  if (name == kForwarded) return options_.forwarded == Trail::kKeep;
  if (is_like(name, kRealIp) || begins_like(name, kXForwarded)) {
    const bool believed = name == kRealIp && from.named_in == http::NamedIn::kXRealIp;
    return options_.x_forwarded == Trail::kKeep ||
           (options_.x_forwarded == Trail::kAppend && believed);
  }
  return name != kVia || options_.via.empty();
}

void Forward::add_x_forwarded(const http::Request& from, std::string_view peer,
                              FieldDraft& draft) const noexcept {
  std::array<char, Address::kHostBytesMax> text;
  const bool behind =
      options_.x_forwarded == Trail::kAppend && from.named_in == http::NamedIn::kXForwardedFor;
  const std::string_view client =
      from.client != nullptr ? from.client->host(text) : std::string_view{};
  const std::string_view list = behind ? draft.list(from.fields, kFor, peer) : draft.text({client});
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) add_unless_edited(options_.request_fields, draft, name, value);
  };
  add(kFor, list);
  add(kProto, from.secure ? "https" : "http");
  add(kHost, from.authority);
  add(kPrefix, from.root_path);
}

void Forward::add_forwarded(const http::Request& from, std::string_view peer,
                            FieldDraft& draft) const noexcept {
  std::array<char, Address::kHostBytesMax> text;
  const bool behind =
      options_.forwarded == Trail::kAppend && from.named_in == http::NamedIn::kForwarded;
  const std::string_view client =
      from.client != nullptr ? from.client->host(text) : std::string_view{};
  const std::string_view ours =
      draft.text({"for=", node_of(behind ? peer : client, draft), ";host=\"", from.authority,
                  "\";proto=", from.secure ? "https" : "http"});
  add_unless_edited(options_.request_fields, draft, kForwarded,
                    behind ? draft.list(from.fields, kForwarded, ours) : ours);
}

void Forward::add_trail(const http::Request& from, const Outgoing& to,
                        FieldDraft& draft) const noexcept {
  std::array<char, Address::kHostBytesMax> text;
  std::string_view peer = to.peer != nullptr ? to.peer->host(text) : std::string_view{};
  if (peer.empty()) peer = "unknown";  // A Unix socket's.
  if (says_ours(options_.x_forwarded)) add_x_forwarded(from, peer, draft);
  if (says_ours(options_.forwarded)) add_forwarded(from, peer, draft);
  if (!options_.via.empty()) {
    const std::string_view ours = draft.text({version_text(from.version), options_.via});
    add_unless_edited(options_.request_fields, draft, kVia, draft.list(from.fields, kVia, ours));
  }
}

Result<void> Forward::rewrite_request(const http::Request& from, Outgoing& to,
                                      FieldDraft& draft) noexcept {
  to.source = &source_;
  to.head.target = origin_form(from, draft);
  to.head.host = options_.keep_host && !from.authority.empty() ? from.authority
                                                               : std::string_view{options_.host};
  const ConnectionOptions of_connection{from.fields};
  const std::optional<std::uint64_t> left = forwards_left(from);
  for (const http::Field& field : from.fields) {
    if (!goes_on(from, field.name) || of_connection.has(field.name)) continue;
    const bool counts = left && field.name == kMaxForwards;
    draft.add(field.name, counts ? number_text(*left - 1, draft) : field.value);
  }
  if (!from.protocol.empty()) ask_for_upgrade(from, to, draft);
  add_trail(from, to, draft);
  add_edited(options_.request_fields, draft);
  to.head.fields = draft.fields();
  return {};
}

void Forward::ask_for_upgrade(const http::Request& from, Outgoing& to, FieldDraft& draft) noexcept {
  to.head.method = "GET";
  to.head.upgrade = from.protocol;
  to.head.framing = http::Framing::kNone;
  to.head.accepts_trailers = false;
  if (from.version != http::Version::kHttp2) return;
  // Over HTTP/2 there is no key (RFC 8441 section 5), and the session drops the answer to it.
  std::array<std::uint8_t, 16> random;
  for (std::size_t half = 0; half < random.size(); half += sizeof(std::uint64_t)) {
    const std::uint64_t word = keys_(++key_);
    std::memcpy(random.data() + half, &word, sizeof word);
  }
  std::array<char, base64_chars(random.size())> text;
  draft.add(kKey, draft.text({base64_encode(random, text.data())}));
}

Result<void> Forward::rewrite_response(const http::ResponseHead& from, http::Response& to,
                                       FieldDraft& draft) noexcept {
  const std::vector<FieldEdit>& edits = options_.response_fields;
  if (from.switches()) {
    // Says what it switches to (RFC 9110 section 15.2.2), and that is what was asked for.
    const http::Field* const upgrade = http::find_field(from.fields, "upgrade");
    if (upgrade == nullptr || !http::equals_ignoring_case(upgrade->value, "websocket")) {
      return fail(Errc::kUpstreamMalformed);
    }
  }
  const ConnectionOptions of_connection{from.fields};
  for (const http::Field& field : from.fields) {
    if (of_connection.has(field.name) || is_edited(edits, field.name)) continue;
    if (field.name != kVia || options_.via.empty()) draft.add(field.name, field.value);
  }
  if (!options_.via.empty()) {
    const std::string_view ours = draft.text({version_text(from.version), options_.via});
    add_unless_edited(edits, draft, kVia, draft.list(from.fields, kVia, ours));
  }
  add_edited(edits, draft);
  to.fields = draft.fields();
  return {};
}

void Forward::refused(http::Exchange& exchange, Errc error) noexcept {
  if (info(error).blame == Blame::kUpstream) log_failure(info(error).text);
  if (options_.refuse == nullptr) return exchange.abort(error);
  constexpr std::array<http::Field, 1> kLater{{{"retry-after", "1"}}};
  const bool soon = info(error).http_status == kUnavailable;
  options_.refuse(exchange, error, std::span{kLater}.first(soon ? 1 : 0));
}

// A server that is down fails each request: one line a second says so.
void Forward::log_failure(std::string_view why) noexcept {
  const std::chrono::nanoseconds now = context_.calls.loop.now();
  if (logged_ && now - *logged_ < kLogPause) {
    ++unlogged_;
    return;
  }
  logged_ = now;
  FieldDraft& draft = context_.draft;  // Of nobody now.
  draft.clear();
  const std::string_view others = number_text(unlogged_, draft);
  const std::string_view more =
      unlogged_ > 0 ? draft.text({" (and ", others, " more failures before)"}) : "";
  log(LogLevel::kWarning, draft.text({"Forwarding to ", options_.host, " failed: ", why, more}));
  unlogged_ = 0;
}

}  // namespace tercel::proxy
