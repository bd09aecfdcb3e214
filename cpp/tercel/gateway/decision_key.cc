#include "tercel/gateway/decision_key.h"

#include <vector>

#include "tercel/gateway/key_pieces.h"
#include "tercel/s3/key_prefix.h"

namespace tercel::gateway {
namespace {

// Of the scope and the way of signing.
constexpr std::size_t kMarkBytes = 2;

// What Scope::kPrefix is about. To a backend that keeps keys as files "a/.." is not in "a/".
std::string_view folder_of(std::string_view place) noexcept {
  const std::size_t end = place.rfind('/') + 1;
  return s3::is_plain_key(place.substr(end)) ? place.substr(0, end) : place;
}

}  // namespace

void write_decision_key(const DecisionFacts& facts, Scope scope, std::string& into) {
  into.clear();
  into.push_back(static_cast<char>(scope));
  into.push_back(facts.presigned ? 'q' : 'h');
  append_piece(into, facts.identity);
  append_piece(into, facts.bucket);
  append_piece(into, facts.source_ip);
  append_piece(into, facts.copy_source);
  if (scope == Scope::kBucket) return;
  append_piece(into, facts.operation);
  if (scope == Scope::kOperation) return;
  if (scope == Scope::kPrefix) {
    // Of a list, what stands behind the last '/' says what it shows.
    append_piece(into, facts.key.empty() ? facts.place : folder_of(facts.place));
    return;
  }
  append_piece(into, facts.key);
  append_piece(into, facts.method);
  append_piece(into, facts.query);
  for (const http::Field& field : facts.headers) {
    append_piece(into, field.name);
    append_piece(into, field.value);
  }
}

void write_decision_key(const Question& question, Scope scope, std::string& into) {
  std::vector<http::Field> headers;
  for (const auto& [name, text] : question.headers) headers.push_back({name, text});
  write_decision_key({.identity = question.identity,
                      .source_ip = question.source_ip,
                      .bucket = question.bucket,
                      .operation = question.operation,
                      .key = question.key,
                      .place = question.place,
                      .method = question.method,
                      .query = question.query,
                      .copy_source = question.copy_source,
                      .presigned = question.presigned,
                      .headers = headers},
                     scope, into);
}

bool is_decision_of(std::string_view key, std::string_view identity,
                    std::string_view bucket) noexcept {
  key.remove_prefix(kMarkBytes);
  return matches_piece(key, identity) && matches_piece(key, bucket);
}

}  // namespace tercel::gateway
