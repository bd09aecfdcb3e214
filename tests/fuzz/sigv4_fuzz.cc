// A request as text: a line each for method, path and query, then one for each field
// ("name:value").
//
// Invariants: what is canonical stays so when it is read again; what is hashed is the text; of an
// accepted claim every part is where a part can be, every x-amz-* field is signed, and the
// signature that belongs to it is accepted, and no other; what is refused has a document in UTF-8.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/base/utf8.h"
#include "tercel/http/chars.h"
#include "tercel/s3/authorization.h"
#include "tercel/s3/error_body.h"
#include "tercel/s3/presign.h"
#include "tercel/s3/sign_request.h"

namespace {

using namespace tercel;
using namespace tercel::s3;

// 20130524T000000Z, near to which the requests of the corpus are.
constexpr std::chrono::seconds kNow{1369353600};
constexpr std::string_view kSecret = "secret";

void check(bool holds) {
  if (!holds) __builtin_trap();
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

bool within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_document(const Refusal& refusal, std::string_view path) {
  std::vector<char> memory(kErrorBodyBytesMax);
  const std::string_view body = write_error_body(refusal, {.resource = path}, memory);
  check(is_utf8(body) && body.ends_with("</Error>"));
}

void check_canonical_forms(const Query& query, std::string_view path) {
  for (const auto without :
       {Query::Without::kNothing, Query::Without::kSignature, Query::Without::kAuthentication}) {
    std::string once;
    query.write_canonical(without, once);
    Query again;
    check(!again.parse(once));
    for (const QueryPart& part : again.parts()) check(part.encoded);
    std::string twice;
    again.write_canonical(without, twice);
    check(once == twice);
  }
  if (!valid_percent_encoding(path)) return;
  std::string once;
  write_canonical_path(path, once);
  std::string twice;
  write_canonical_path(once, twice);
  check(once == twice && is_encoded(once, Part::kPath));
}

void check_claim(const http::Request& request, const Query& query, const Claim& claim,
                 std::string_view text, std::string_view scratch) {
  for (const std::string_view part : {claim.access_key, claim.region, claim.signed_headers,
                                      claim.signature, claim.session_token}) {
    check(within(part, text) || within(part, scratch));
  }
  check(!claim.access_key.empty() && !claim.region.empty() && is_hex_digest(claim.signature));
  check(parse_amz_date(claim.stamp().timestamp) == claim.signed_at);
  const std::string names = ';' + std::string{claim.signed_headers} + ';';
  for (const http::Field& field : request.fields) {
    if (!field.name.starts_with("x-amz-")) continue;
    check(names.find(';' + std::string{field.name} + ';') != std::string::npos);
  }
  const CanonicalRequest canonical = claim.canonical(request, query);
  const auto digest = canonical_digest(canonical);
  check(digest.has_value() == valid_percent_encoding(request.path));
  if (!digest) return;
  check(*digest == sha256(*canonical_text(canonical)));

  const SigningKey key{kSecret, claim.stamp().date(), claim.region};
  HexDigest signature = sign(key, claim.stamp(), *digest);
  SigningKeyCache cache{1, KeyedHash{1, 2}};
  const Secret secret{.id = 1, .text = kSecret};
  check(verify(cache, secret, claim.stamp(), *digest, view(signature)) != nullptr);
  signature[7] ^= 1;
  check(verify(cache, secret, claim.stamp(), *digest, view(signature)) == nullptr);
}

// What came is signed for a backend, and accepted there.
void check_signing(const http::Request& request, const Query& query) {
  const SigningKey key{kSecret, "20130524", "r"};
  const Identity identity{
      .access_key = "AK", .key = &key, .region = "r", .time = to_amz_date(kNow)};
  std::string memory(kSignedFieldsBytes, '\0');
  SignedFields made;
  if (sign_request({request.method, request.path, &query, "h", request.fields, "UNSIGNED-PAYLOAD"},
                   identity, memory, made)) {
    return;
  }
  std::vector<http::Field> sent;
  for (const http::Field& field : request.fields) {
    if (!is_replaced(field.name)) sent.push_back(field);
  }
  sent.insert(sent.end(), made.view().begin(), made.view().end());
  http::Request upstream = request;
  upstream.fields = sent;
  std::string scratch(request.query.size(), '\0');
  Claim claim;
  // A query that has a signature already is one that the gateway cuts before.
  if (read_claim(upstream, query, {.now = kNow}, scratch, claim)) return;
  SigningKeyCache cache{1, KeyedHash{1, 2}};
  const auto digest = canonical_digest(claim.canonical(upstream, query));
  check(digest && verify(cache, {.id = 1, .text = kSecret}, claim.stamp(), *digest,
                         claim.signature) != nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  std::string_view rest = text;
  http::Request request;
  request.method = take_line(rest);
  request.path = take_line(rest);
  request.query = take_line(rest);
  std::vector<http::Field> fields;
  while (!rest.empty() && fields.size() < 200) {
    const std::string_view line = take_line(rest);
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view name = line.substr(0, colon);
    // As the parser of HTTP leaves names.
    if (!http::is_token(name) || std::any_of(name.begin(), name.end(), http::is_upper)) continue;
    fields.push_back({name, http::trim_blanks(line.substr(std::min(colon + 1, line.size())))});
  }
  request.fields = fields;

  Query query;
  if (const auto error = query.parse(request.query)) {
    check_document(Refusal{*error}, request.path);
    return 0;
  }
  check_canonical_forms(query, request.path);
  std::string scratch(request.query.size(), '\0');
  Claim claim;
  const auto refusal = read_claim(request, query, {.now = kNow}, scratch, claim);
  if (refusal) {
    check_document(*refusal, request.path);
  } else if (claim.mechanism != Mechanism::kAnonymous) {
    check_claim(request, query, claim, text, scratch);
  }
  check_signing(request, query);
  return 0;
}
