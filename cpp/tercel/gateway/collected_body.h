// The body of a request that is another one at the backend: read whole, and sent when it is right.
//
//   CollectedBody body{"team-a/"};
//   if (auto error = body.take(bytes)) refuse(*error);   // What is verified, as it arrives.
//   if (auto error = body.finish()) refuse(*error);
//   body.size(), body.sha256(), body.md5()               // For the head.
//   body.rewind();                                       // Before each attempt to send it.
//
// For DeleteObjects behind a key prefix: its size and digests are those of another document, and
// backends want to know them beforehand. Memory: s3::DeletedKeys has the limits. Resource: one a
// request. take() and finish() throw std::bad_alloc. Tested by collected_body_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tercel/http/handler.h"
#include "tercel/proxy/relay.h"
#include "tercel/s3/checksum.h"
#include "tercel/s3/delete_objects.h"
#include "tercel/s3/error.h"
#include "tercel/s3/sha256.h"

namespace tercel::gateway {

class CollectedBody final : public proxy::BodyFilter {
 public:
  explicit CollectedBody(std::string_view prefix) : keys_{prefix} {}

  [[nodiscard]] std::optional<s3::ErrorCode> take(std::string_view bytes) {
    return keys_.take(bytes);
  }
  [[nodiscard]] std::optional<s3::ErrorCode> finish();

  // All after finish().
  [[nodiscard]] std::uint64_t size() const noexcept { return keys_.document().size(); }
  [[nodiscard]] std::string_view sha256() const noexcept { return s3::view(sha256_); }
  [[nodiscard]] std::string_view md5() const noexcept { return md5_->text(); }
  void rewind() noexcept { sent_ = false; }

  // In place of the client's body, which was read: all at once.
  [[nodiscard]] Result<Passed> pass(std::string_view bytes, http::Final final) noexcept override;

 private:
  s3::DeletedKeys keys_;
  s3::HexDigest sha256_{};
  std::optional<s3::ChecksumText> md5_;
  bool sent_ = false;
};

}  // namespace tercel::gateway
