#include "tercel/http/h1_known_fields.h"

#include <algorithm>

#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"
#include "tercel/http/url.h"

namespace tercel::http {
namespace {

// 2^63 - 1: what file offsets and Python's sizes can hold.
constexpr std::uint64_t kLengthMax = INT64_MAX;
// Its 19 digits and room for a few leading zeros.
constexpr std::size_t kLengthDigitsMax = 20;

// Why `value` is not taken as a length: it is none, or it is one that nobody can send.
Errc judge_content_length(std::string_view value) noexcept {
  const bool digits = std::all_of(value.begin(), value.end(), is_digit);
  if (value.empty() || !digits) return Errc::kBadContentLength;
  value.remove_prefix(std::min(value.find_first_not_of('0'), value.size()));
  const bool large = value.size() >= kLengthDigitsMax || !parse_decimal(value, kLengthMax);
  return !value.empty() && large ? Errc::kBodyTooLarge : Errc::kBadContentLength;
}

}  // namespace

Result<void> KnownFields::note_content_length(std::string_view value) noexcept {
  if (content_length) return fail(Errc::kBadContentLength);
  if (chunked) return fail(Errc::kLengthConflict);
  // Room for leading zeros, within reason.
  if (value.size() > kLengthDigitsMax) return fail(judge_content_length(value));
  const Result<std::uint64_t> length = parse_decimal(value, kLengthMax);
  if (!length) return fail(judge_content_length(value));
  content_length = *length;
  return {};
}

Result<void> KnownFields::note_transfer_encoding(std::string_view value, Version version) noexcept {
  if (version == Version::kHttp10 || chunked || !equals_ignoring_case(value, "chunked")) {
    return fail(Errc::kBadTransferEncoding);
  }
  if (content_length) return fail(Errc::kLengthConflict);
  chunked = true;
  return {};
}

void KnownFields::note_connection(std::string_view value) noexcept {
  while (!value.empty()) {
    const std::string_view option = next_element(value);
    close |= equals_ignoring_case(option, "close");
    keep_alive |= equals_ignoring_case(option, "keep-alive");
    upgrade_option |= equals_ignoring_case(option, "upgrade");
  }
}

Result<void> KnownFields::note_expect(std::string_view value, Version version) noexcept {
  if (version == Version::kHttp10) return {};
  while (!value.empty()) {
    const std::string_view expectation = next_element(value);
    if (expectation.empty()) continue;
    if (!equals_ignoring_case(expectation, "100-continue")) return fail(Errc::kBadExpectation);
    expects_continue = true;
  }
  return {};
}

void KnownFields::note_upgrade(std::string_view value) noexcept {
  while (!value.empty()) websocket |= equals_ignoring_case(next_element(value), "websocket");
}

void KnownFields::note_te(std::string_view value) noexcept {
  while (!value.empty()) {
    std::string_view coding = next_element(value);
    accepts_trailers |= equals_ignoring_case(next_element(coding, ';'), "trailers");
  }
}

Result<void> KnownFields::note_host(Field& field) noexcept {
  const bool valid = field.value.empty() || valid_authority(field.value);
  if (!valid || host != nullptr) return fail(Errc::kBadHost);
  host = &field;
  return {};
}

Result<void> KnownFields::note(Field& field, Version version) noexcept {
  const std::string_view name = field.name;
  const std::string_view value = field.value;
  if (name == "host") return note_host(field);
  if (name == "content-length") return note_content_length(value);
  if (name == "transfer-encoding") return note_transfer_encoding(value, version);
  if (name == "expect") return note_expect(value, version);
  if (name == "connection") note_connection(value);
  if (name == "te") note_te(value);
  if (name == "upgrade") note_upgrade(value);
  return {};
}

Result<void> KnownFields::note_of_response(const Field& field, Version version) noexcept {
  if (field.name == "content-length") return note_content_length(field.value);
  if (field.name == "transfer-encoding") return note_transfer_encoding(field.value, version);
  if (field.name == "connection") note_connection(field.value);
  return {};
}

}  // namespace tercel::http
