#include "tercel/api/credential_rule.h"

#include <algorithm>
#include <array>
#include <span>

#include "tercel/api/problem.h"
#include "tercel/http/chars.h"
#include "tercel/http/cookies.h"
#include "tercel/http/query.h"

namespace tercel::api {
namespace {

constexpr std::size_t kChallengesMax = 16;

bool has_header(std::span<const http::Field> fields, const Credential& wanted) noexcept {
  std::size_t count = 0;
  bool found = false;
  for (const http::Field& field : fields) {
    if (field.name != wanted.name) continue;
    ++count;
    const std::string_view word = field.value.substr(0, field.value.find(' '));
    found = found || wanted.scheme.empty() || http::equals_ignoring_case(word, wanted.scheme);
  }
  return found || count > 1;
}

bool has_cookie(std::span<const http::Field> fields, std::string_view name) noexcept {
  const auto found = http::find_cookie(fields, name);
  return !found || found->has_value();
}

bool has_pair(std::string_view query, std::string_view name, std::span<char> decoded) noexcept {
  http::QueryPairs pairs{query, decoded};
  http::QueryPair pair;
  for (;;) {
    const Result<bool> more = pairs.next(pair);
    if (!more) return true;
    if (!*more) return false;
    if (pair.name == name) return true;
  }
}

}  // namespace

Result<bool> CredentialRule::is_met(const http::Request& request,
                                    BlockPool& blocks) const noexcept {
  if (!enabled_.load(std::memory_order_relaxed)) return true;
  Block decoded;
  for (const Credential& one : options_.any_of) {
    if (one.in == In::kHeader && has_header(request.fields, one)) return true;
    if (one.in == In::kCookie && has_cookie(request.fields, one.name)) return true;
    if (one.in != In::kQuery || request.query.empty()) continue;
    if (!decoded) decoded = blocks.take(request.query.size());
    if (!decoded) return fail(Errc::kNoMemory);
    if (has_pair(request.query, one.name, {decoded.data(), decoded.capacity()})) return true;
  }
  return false;
}

void CredentialRule::refuse(const http::Request& request, http::Exchange& exchange,
                            json::Writer& scratch) const noexcept {
  std::array<http::Field, kChallengesMax> fields;
  const std::size_t count = std::min(options_.challenges.size(), kChallengesMax);
  for (std::size_t i = 0; i < count; ++i) {
    fields[i] = {"www-authenticate", options_.challenges[i]};
  }
  answer_problem(exchange, {.status = 401, .detail = options_.detail, .instance = request.path},
                 scratch, std::span{fields}.first(count));
}

}  // namespace tercel::api
