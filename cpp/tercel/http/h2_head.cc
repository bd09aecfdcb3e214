#include "tercel/http/h2_head.h"

#include <algorithm>
#include <cstring>

#include "tercel/base/assert.h"
#include "tercel/base/percent.h"
#include "tercel/http/chars.h"
#include "tercel/http/h1_field.h"
#include "tercel/http/scan.h"
#include "tercel/http/url.h"

namespace tercel::http {
namespace {

// What a field costs beyond its bytes. Source: RFC 9113 section 6.5.2.
constexpr std::size_t kFieldOverheadBytes = 32;
constexpr std::string_view kWebSocket = "websocket";
constexpr std::size_t kMethodBytesMax = 32;  // As in h1_head.cc.

// Those of the connection, which HTTP/2 does without, but for TE. Source: RFC 9113 section 8.2.2.
bool is_connection_field(std::string_view name) noexcept {
  return name != "te" && is_of_connection(name);
}

bool is_h2_name(std::string_view name) noexcept {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return kToken.has(c) && !is_upper(c); });
}

bool is_h2_value(std::string_view value) noexcept {
  const char* const end = value.data() + value.size();
  if (scan::find<scan::ValueEnd>(value.data(), end) != end) return false;
  return value.empty() || (!is_blank(value.front()) && !is_blank(value.back()));
}

bool is_scheme(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_lower(to_lower(c)) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

// "u=1, i": what is not understood is left alone. Source: RFC 9218 section 4.
H2Priority parse_priority(std::string_view value) noexcept {
  H2Priority priority;
  while (!value.empty()) {
    const std::string_view member = next_element(value);
    if (member.size() == 3 && member.starts_with("u=") && member[2] >= '0' && member[2] <= '7') {
      priority.urgency = static_cast<unsigned>(member[2] - '0');
    } else if (member == "i" || member == "i=?1") {
      priority.incremental = true;
    } else if (member == "i=?0") {
      priority.incremental = false;
    }
  }
  return priority;
}

}  // namespace

bool is_h2_field(std::string_view name, std::string_view value) noexcept {
  return is_h2_name(name) && is_h2_value(value);
}

bool H2Head::admit(std::string_view name, std::string_view value, std::size_t bytes_max) noexcept {
  if (error_) return false;
  list_bytes_ += name.size() + value.size() + kFieldOverheadBytes;
  return list_bytes_ <= std::min(bytes_max, ratio_bytes_max_);
}

// REQUIRES: within the limit of the list, so there is room.
std::string_view H2Head::keep(std::string_view text) noexcept {
  if (TERCEL_BUG_IF(text.size() > text_.size())) return {};
  char* const at = text_.data();
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  text_ = text_.subspan(text.size());
  return {at, text.size()};
}

void H2Head::note(std::string_view name, std::string_view value) noexcept {
  if (!admit(name, value, limits_.head_bytes_max)) return refuse(Errc::kHeadTooLarge);
  if (name.starts_with(':')) return note_pseudo(name, value);
  regular_seen_ = true;
  if (!is_h2_field(name, value) || is_connection_field(name)) return refuse(Errc::kBadField);
  if (count_ == std::min(limits_.fields_max, kFieldsMax - 1)) return refuse(Errc::kTooManyFields);
  // The first place is for the host, if it is named by a pseudo-header field alone.
  Field& field = fields_[1 + count_++];
  field = {.name = keep(name), .value = keep(value)};
  note_regular(field);
}

void H2Head::note_regular(Field& field) noexcept {
  if (field.name == "cookie") {
    ++cookies_;
  } else if (field.name == "priority") {
    priority_ = parse_priority(field.value);
  } else if (field.name == "te" && field.value != "trailers") {
    refuse(Errc::kBadField);
  } else if (may_be_known(field.name)) {
    if (const auto noted = known_.note(field, Version::kHttp2); !noted) refuse(noted.error());
  }
}

void H2Head::note_pseudo(std::string_view name, std::string_view value) noexcept {
  if (regular_seen_ || !is_h2_value(value)) return refuse(Errc::kBadField);
  if (name == ":method") {
    if (!request_.method.empty() || !is_token(value)) return refuse(Errc::kBadRequestLine);
    request_.method = keep(value);
  } else if (name == ":path") {
    if (!request_.target.empty() || value.empty()) return refuse(Errc::kBadTarget);
    request_.target = keep(value.substr(0, limits_.target_bytes_max));
    if (value.size() > limits_.target_bytes_max) refuse(Errc::kTargetTooLong);
  } else if (name == ":scheme") {
    if (!scheme_.empty() || !is_scheme(value)) return refuse(Errc::kBadTarget);
    scheme_ = keep(value);
  } else if (name == ":authority") {
    if (authority_seen_ || !(value.empty() || valid_authority(value))) {
      return refuse(Errc::kBadHost);
    }
    authority_seen_ = true;
    request_.authority = keep(value);
  } else if (name == ":protocol") {
    if (!protocol_.empty() || !is_token(value)) return refuse(Errc::kBadField);
    protocol_ = keep(value);
  } else {
    refuse(Errc::kBadField);
  }
}

void H2Head::note_trailer(std::string_view name, std::string_view value) noexcept {
  if (!admit(name, value, limits_.trailer_bytes_max)) return refuse(Errc::kTrailersTooLarge);
  if (!is_h2_field(name, value) || is_connection_field(name)) return refuse(Errc::kBadField);
  if (count_ == std::min(limits_.fields_max, kFieldsMax)) return refuse(Errc::kTrailersTooLarge);
  if (may_be_trailer(name)) fields_[count_++] = {.name = keep(name), .value = keep(value)};
}

std::optional<Errc> H2Head::finish(bool has_body) noexcept {
  if (error_) return error_;
  if (auto error = judge_method()) return error_ = error;
  if (scheme_.empty() || request_.target.empty() || !split_path()) return error_ = Errc::kBadTarget;
  if (!settle_authority()) return error_ = Errc::kBadHost;
  if (cookies_ > 1) join_cookies();
  if (!has_body && known_.content_length.value_or(0) != 0) {
    return error_ = Errc::kBadContentLength;
  }
  request_.fields = {first_, count_};
  request_.content_length = known_.content_length;
  // The bytes that follow an extended CONNECT are no body, but a tunnel's.
  request_.has_body = has_body && request_.protocol.empty();
  request_.accepts_trailers = known_.accepts_trailers;
  return std::nullopt;
}

// As HTTP/1 has it: no echo, no methods in lower case, and no tunnels but those that
// Request::protocol names. Source: RFC 8441 section 4.
std::optional<Errc> H2Head::judge_method() noexcept {
  const std::string_view method = request_.method;
  if (method.empty()) return Errc::kBadRequestLine;
  if (!protocol_.empty()) {
    if (method != "CONNECT") return Errc::kBadField;
    if (!equals_ignoring_case(protocol_, kWebSocket)) return Errc::kBadMethod;
    request_.protocol = kWebSocket;
    return std::nullopt;
  }
  const bool lower = std::ranges::any_of(method, is_lower);
  const bool refused = method.size() > kMethodBytesMax || method == "CONNECT" || method == "TRACE";
  return lower || refused ? std::optional{Errc::kBadMethod} : std::nullopt;
}

// Source: RFC 9113 section 8.3.1.
bool H2Head::split_path() noexcept {
  const std::string_view target = request_.target;
  request_.path = target;
  if (target == "*") return request_.method == "OPTIONS";
  if (target.front() != '/') return false;
  const char* const end = target.data() + target.size();
  const char* question_mark = nullptr;
  for (const char* at = target.data();; ++at) {
    at = scan::find<scan::TargetMark>(at, end);
    if (at == end) break;
    if (*at == '?') {
      if (question_mark == nullptr) question_mark = at;
    } else if (*at != '%') {
      return false;
    }
  }
  if (question_mark != nullptr) {
    const auto path_bytes = static_cast<std::size_t>(question_mark - target.data());
    request_.path = target.substr(0, path_bytes);
    request_.query = target.substr(path_bytes + 1);
  }
  return valid_percent_encoding(target);
}

// Host and :authority name the same host, or one of them does alone; applications find it in the
// Host field, where HTTP/1 has it. Source: RFC 9113 section 8.3.1.
bool H2Head::settle_authority() noexcept {
  first_ = fields_ + 1;
  if (known_.host != nullptr) {
    const std::string_view host = known_.host->value;
    if (!authority_seen_ || request_.authority.empty()) {
      request_.authority = host;
      return !host.empty();
    }
    // Names of hosts have no case.
    return std::ranges::equal(host, request_.authority, {}, to_lower, to_lower);
  }
  if (request_.authority.empty()) return false;
  --first_;
  ++count_;
  *first_ = {.name = "host", .value = request_.authority};
  return true;
}

// Crumbs are put together where the first of them is. Source: RFC 9113 section 8.2.3.
void H2Head::join_cookies() noexcept {
  Field* const end = first_ + count_;
  Field* const cookie =
      std::find_if(first_, end, [](const Field& field) { return field.name == "cookie"; });
  char* const start = text_.data();
  Field* kept = cookie + 1;
  std::string_view separator;
  for (Field* field = cookie; field != end; ++field) {
    if (field->name == "cookie") {
      (void)keep(std::exchange(separator, "; "));
      (void)keep(field->value);
    } else {
      *kept++ = *field;
    }
  }
  cookie->value = {start, static_cast<std::size_t>(text_.data() - start)};
  count_ = static_cast<std::size_t>(kept - first_);
}

}  // namespace tercel::http
