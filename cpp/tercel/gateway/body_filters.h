// What is done to bodies on their way: that of a request is verified and decoded, that of a
// response loses the backend's names.
//
// Resources: one a request, where there is something to do. Tested by
// tests/python/test_s3_gateway.py.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tercel/gateway/own_text.h"
#include "tercel/http/handler.h"
#include "tercel/proxy/relay.h"
#include "tercel/s3/error.h"
#include "tercel/s3/payload.h"
#include "tercel/s3/rewrite.h"
#include "tercel/s3/signature.h"
#include "tercel/s3/unsigned_chunks.h"

namespace tercel::gateway {

class RequestFilter final : public proxy::BodyFilter {
 public:
  // Copies what `plan` points to.
  RequestFilter(const s3::PayloadPlan& plan, s3::PayloadMode mode,
                const std::optional<s3::ChunkSigner>& signer);
  // What is decoded goes on in chunks that are not signed, with the checksum of the trailer behind
  // them. REQUIRES: the plan has a trailer.
  void reframe(std::uint64_t decoded_bytes, s3::ChecksumAlgorithm algorithm) noexcept {
    chunks_.emplace(decoded_bytes, algorithm);
  }

  [[nodiscard]] Result<Passed> pass(std::string_view bytes, http::Final final) noexcept override;
  // Why pass() failed.
  [[nodiscard]] std::optional<s3::ErrorCode> failure() const noexcept { return failure_; }

 private:
  [[nodiscard]] s3::PayloadPlan owned(const s3::PayloadPlan& plan);
  [[nodiscard]] Passed end(std::size_t consumed) noexcept;

  std::string texts_;  // What the plan points to.
  s3::PayloadVerifier verifier_;
  std::optional<s3::UnsignedChunks> chunks_;
  std::string_view decoded_;  // What is not in chunks yet: of the bytes, or the verifier's.
  std::optional<s3::ErrorCode> failure_;
  bool finished_ = false;  // The body, and it is right.
  bool ended_ = false;     // So is what goes on of it, with its trailer.
};

// Passes everything until it is told what to rewrite, or what to send instead.
class ResponseFilter final : public proxy::BodyFilter {
 public:
  struct Names {
    std::string bucket;
    std::string location;
    std::string resource;
    std::string endpoint;
    std::string key_prefix = {};
    std::string source_prefix = {};
    bool keys_are_url_encoded = false;
    bool known_only = false;
    std::string hidden_bucket = {};
    std::string hidden_source_bucket = {};
    std::string request_id = {};
  };
  // Errors of S3 are small; of a longer one the other text is sent, and the rest is not waited for.
  static constexpr std::size_t kErrorBytesMax = std::size_t{16} * 1024;

  // These throw std::bad_alloc.
  void rewrite(Names names);
  // Of an error: collects it, and sends it when it was one of S3 to its end, or else `own`.
  void rewrite_error(Names names, OwnText own);
  void replace(OwnText own);

  // The code in the error that it sends, once it has passed, as far as there is room for it; empty:
  // there is none. Where refuses_credentials() the backend's.
  [[nodiscard]] std::string_view error_code() const noexcept;
  // The error is about what we had signed, and no fault of the client, who is told our own.
  [[nodiscard]] bool refuses_credentials() const noexcept;

  [[nodiscard]] Result<Passed> pass(std::string_view bytes, http::Final final) noexcept override;
  [[nodiscard]] bool passes_all() const noexcept override {
    return work_ == nullptr && instead_ == nullptr;
  }
  [[nodiscard]] bool holds_head() const noexcept override {
    return instead_ != nullptr && !instead_->was_sent;
  }
  [[nodiscard]] std::string_view end_early(Rest rest) noexcept override;

 private:
  // What is sent when the body has ended.
  struct Instead {
    OwnText own;
    std::string collected = {};  // Of the backend's error, rewritten; has room from the start.
    std::size_t read_bytes = 0;  // Of the backend's.
    bool is_own = true;
    bool was_sent = false;
  };
  void collect(std::string_view bytes) noexcept;
  // What of the collected error is one.
  [[nodiscard]] std::string_view judge() noexcept;

  struct Work {
    explicit Work(Names given);
    const Names names;
    s3::Rewriter rewriter;
  };
  std::unique_ptr<Work> work_;  // About 8 KiB, of documents only.
  std::unique_ptr<Instead> instead_;
};

}  // namespace tercel::gateway
