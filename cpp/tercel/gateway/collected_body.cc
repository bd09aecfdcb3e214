#include "tercel/gateway/collected_body.h"

#include <utility>

namespace tercel::gateway {

std::optional<s3::ErrorCode> CollectedBody::finish() {
  if (const auto error = keys_.finish()) return error;
  sha256_ = s3::to_hex(s3::sha256(keys_.document()));
  s3::Checksum md5{s3::ChecksumAlgorithm::kMd5};
  md5.update(keys_.document());
  md5_ = md5.finish();
  return std::nullopt;
}

Result<proxy::BodyFilter::Passed> CollectedBody::pass(std::string_view bytes,
                                                      http::Final /*final*/) noexcept {
  if (std::exchange(sent_, true)) return Passed{bytes.size(), {}};
  return Passed{bytes.size(), keys_.document()};
}

}  // namespace tercel::gateway
