// Question: what do verifying a GET of boto3 and signing it again for a backend weigh beside the
// rest of a proxied request (some 20 us)? Decides whether SHA-256 may stay on the loop's thread.
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "tercel/s3/authorization.h"
#include "tercel/s3/sign_request.h"

namespace tercel::s3 {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::chrono::seconds kNow{1369353600};

// As boto3 sends a GET of an object of 1 KiB, signed when it is made.
struct Example {
  Example() {
    request.method = "GET";
    request.path = "/data-2026/tables/events/part-00017.parquet";
    const http::Field own[] = {{"accept-encoding", "identity"},
                               {"user-agent", "Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux"},
                               {"amz-sdk-invocation-id", "5cbe1a37-0d0c-4a92-8ac1-c03a18de4e7c"},
                               {"amz-sdk-request", "attempt=1"},
                               {"x-amz-checksum-mode", "ENABLED"}};
    Query none;
    (void)none.parse("");
    (void)sign_request(
        {request.method, request.path, &none, "s3.example.test:9000", own, kEmptySha256Hex},
        identity(), memory, made);
    fields.assign(std::begin(own), std::end(own));
    fields.insert(fields.end(), made.view().begin(), made.view().end());
    request.fields = fields;
  }
  Identity identity() const {
    return {.access_key = "AKIAIOSFODNN7EXAMPLE",
            .key = &key,
            .region = "us-east-1",
            .time = to_amz_date(kNow)};
  }

  SigningKey key{kSecret, "20130524", "us-east-1"};
  std::array<char, kSignedFieldsBytes> memory;
  SignedFields made;
  std::vector<http::Field> fields;
  http::Request request;
};

bool verify_one(const http::Request& request, SigningKeyCache& cache, Query& query) {
  Claim claim;
  if (query.parse(request.query) || read_claim(request, query, {.now = kNow}, {}, claim)) {
    return false;
  }
  const auto digest = canonical_digest(claim.canonical(request, query));
  return digest && verify(cache, {.id = 1, .text = kSecret}, claim.stamp(), *digest,
                          claim.signature) != nullptr;
}

void verify_get(benchmark::State& state) {
  const Example example;
  SigningKeyCache cache{1024};
  Query query;
  for (auto _ : state) {
    if (!verify_one(example.request, cache, query)) state.SkipWithError("refused");
  }
}
BENCHMARK(verify_get);

void sign_get(benchmark::State& state) {
  const Example example;
  Query query;
  (void)query.parse("");
  std::array<char, kSignedFieldsBytes> memory;
  SignedFields made;
  for (auto _ : state) {
    const auto error =
        sign_request({example.request.method, example.request.path, &query, "backend.example.test",
                      example.request.fields, "UNSIGNED-PAYLOAD"},
                     example.identity(), memory, made);
    if (error) state.SkipWithError("refused");
    benchmark::DoNotOptimize(made);
  }
}
BENCHMARK(sign_get);

void derive_key(benchmark::State& state) {
  for (auto _ : state) {
    SigningKey key{kSecret, "20130524", "us-east-1"};
    benchmark::DoNotOptimize(key);
  }
}
BENCHMARK(derive_key);

}  // namespace
}  // namespace tercel::s3
