// What a request of a client is: read from its head, and refused for its form.
//
//   Arrival arrival;
//   if (auto refusal = arrival.read(request, config, now, memory)) return answer(*refusal);
//
// Whether the signature is right, and whether it may be done, are questions for later: until then
// everything here is the word of a stranger. Views are into the request and the memory. A resource
// of about 7 KiB, one a loop: what a request needs later is read again. Tested by
// arrival_test.cc and departure_test.cc, fuzzed by gateway_fuzz.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/address.h"
#include "tercel/gateway/config.h"
#include "tercel/gateway/decision_key.h"
#include "tercel/http/message.h"
#include "tercel/s3/authorization.h"
#include "tercel/s3/copy_source.h"
#include "tercel/s3/error.h"
#include "tercel/s3/operation.h"
#include "tercel/s3/payload.h"
#include "tercel/s3/query.h"
#include "tercel/s3/resource.h"

namespace tercel::gateway {

class Arrival {
 public:
  // Of the memory that read() needs, beside six times the bytes of the query.
  static constexpr std::size_t kMemoryBytes =
      s3::kResourceMemoryBytes + s3::kCopySourceBytesMax + 3 * s3::kVersionIdBytesMax + 512;

  // Nothing: all below is set. A refusal: claim, resource, operation and copied() are what was read
  // before, or empty. REQUIRES: memory.size() >= kMemoryBytes + 6 * request.query.size().
  [[nodiscard]] std::optional<s3::Refusal> read(const http::Request& request, const Config& config,
                                                std::chrono::seconds now,
                                                std::span<char> memory) noexcept;

  // What a decision is about. `source_ip` is written to `ip`, `query` to the memory that was given.
  [[nodiscard]] DecisionFacts facts(const http::Request& request, std::string_view identity,
                                    std::span<char, Address::kHostBytesMax> ip) const noexcept;
  // The same for the source of a copy, which is read.
  [[nodiscard]] DecisionFacts facts_of_source(const DecisionFacts& of_copy) const noexcept;

  // "bucket/key" of the source of a copy, decoded; empty: nothing is copied.
  [[nodiscard]] std::string_view copied() const noexcept {
    return {source_text_.data(), source_bytes_};
  }

  s3::Query query;
  s3::Claim claim;
  s3::Resource resource;
  s3::OperationMatch operation;
  s3::PayloadPlan payload;
  s3::CopySource source;
  bool copies = false;
  // Of a list: the prefix that it asks for, decoded.
  std::string_view list_prefix;
  // The query without what signs, canonical.
  std::string_view plain_query;

 private:
  static constexpr std::size_t kHeadersMax = 64;

  [[nodiscard]] std::optional<s3::Refusal> read_operation(const http::Request& request,
                                                          std::span<char> memory) noexcept;

  // Whether the ids of an upload, of versions, and of a place in a list can be such. A backend that
  // keeps these as files would find those of other keys, and of other buckets, by one with "..".
  [[nodiscard]] bool ids_stay_here(std::span<char> memory) const noexcept;
  // False: they are too many.
  [[nodiscard]] bool read_headers(const http::Request& request, std::span<char> memory) noexcept;

  std::array<http::Field, kHeadersMax> headers_;  // That a policy sees.
  std::size_t header_count_ = 0;
  // "bucket/key" of the source of a copy.
  std::array<char, s3::kBucketBytesMax + 1 + s3::kKeyBytesMax> source_text_;
  std::size_t source_bytes_ = 0;
  std::string_view source_query_;  // Its version.
};

}  // namespace tercel::gateway
