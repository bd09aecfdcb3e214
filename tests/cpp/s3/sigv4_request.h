// A request for tests of SigV4: owns its texts, is signed in either way, and can be read.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/http/message.h"
#include "tercel/s3/authorization.h"
#include "tercel/s3/sign_request.h"

namespace tercel::s3 {

inline constexpr std::string_view kTestKey = "AKIAIOSFODNN7EXAMPLE";
inline constexpr std::string_view kTestSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
// 20130524T000000Z.
inline constexpr std::chrono::seconds kTestNow{1369353600};

struct TestRequest {
  using Pair = std::pair<std::string, std::string>;

  std::string method = "GET";
  std::string path = "/bucket/key";
  std::string query = {};
  std::vector<Pair> headers = {};

  std::vector<http::Field> fields() const {
    std::vector<http::Field> views;
    for (const auto& [name, value] : headers) views.push_back({name, value});
    return views;
  }
  // The value of the last header of that name, to be changed. Made when there is none.
  std::string& header(std::string_view name) {
    for (auto at = headers.rbegin(); at != headers.rend(); ++at) {
      if (at->first == name) return at->second;
    }
    headers.emplace_back(name, "");
    return headers.back().second;
  }
  TestRequest& remove(std::string_view name) {
    std::erase_if(headers, [name](const Pair& pair) { return pair.first == name; });
    return *this;
  }
};

inline SigningKey test_signing_key(std::string_view date = "20130524",
                                   std::string_view region = "us-east-1") {
  return SigningKey{kTestSecret, date, region};
}

// `request` with the fields of sign_request(), which replace its own.
inline TestRequest signed_request(TestRequest request, std::string_view host = "s3.example.test",
                                  std::string_view payload_hash = "UNSIGNED-PAYLOAD",
                                  std::string_view session_token = {}) {
  Query query;
  EXPECT_FALSE(query.parse(request.query));
  const SigningKey key = test_signing_key();
  const std::vector<http::Field> fields = request.fields();
  const Identity identity{.access_key = kTestKey,
                          .key = &key,
                          .region = "us-east-1",
                          .session_token = session_token,
                          .time = to_amz_date(kTestNow)};
  std::vector<char> memory(kSignedFieldsBytes);
  SignedFields made;
  EXPECT_FALSE(sign_request({request.method, request.path, &query, host, fields, payload_hash},
                            identity, memory, made));
  TestRequest result{request.method, request.path, request.query, {}};
  for (const auto& pair : request.headers) {
    if (!is_replaced(pair.first)) result.headers.push_back(pair);
  }
  for (const http::Field& field : made.view()) result.headers.emplace_back(field.name, field.value);
  return result;
}

// What became of a request: the claim, and whether its signature is that of kTestSecret. Not
// copied: the claim views into its texts.
struct Reading {
  explicit Reading(TestRequest given, std::chrono::seconds now = kTestNow,
                   std::string_view region = {})
      : texts{std::move(given)}, fields{texts.fields()}, scratch(texts.query.size()) {
    request.method = texts.method;
    request.path = texts.path;
    request.query = texts.query;
    request.fields = fields;
    if (const auto error = query.parse(request.query)) {
      refusal = Refusal{*error};
      return;
    }
    refusal = read_claim(request, query, {.now = now, .region = region}, scratch, claim);
    if (refusal || claim.mechanism == Mechanism::kAnonymous) return;
    const auto digest = canonical_digest(claim.canonical(request, query));
    if (!digest) return;
    SigningKeyCache cache{1};
    valid = verify(cache, {.id = 1, .text = kTestSecret}, claim.stamp(), *digest,
                   claim.signature) != nullptr;
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  // "Code: message", or "valid", or "SignatureDoesNotMatch".
  std::string outcome() const {
    if (refusal) {
      return std::string{info(refusal->code()).code} + ": " + std::string{refusal->message()};
    }
    if (claim.mechanism == Mechanism::kAnonymous) return "anonymous";
    return valid ? "valid" : "SignatureDoesNotMatch";
  }
  // Its code alone.
  std::string code() const {
    const std::string text = outcome();
    return text.substr(0, text.find(':'));
  }
  std::string element(std::string_view name) const {
    for (std::size_t i = 0; refusal && i < refusal->elements(); ++i) {
      if (refusal->element(i).name == name) return std::string{refusal->element(i).value};
    }
    return "(none)";
  }

  TestRequest texts;
  std::vector<http::Field> fields;
  std::vector<char> scratch;
  http::Request request;
  Query query;
  Claim claim;
  std::optional<Refusal> refusal;
  bool valid = false;
};

}  // namespace tercel::s3
