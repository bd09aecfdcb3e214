// Invariants: however a body arrives, what is decoded is the same; no more than the decoded length
// comes out, and all of it only from a body that is right; what was decoded, written again as a
// client writes it, is decoded as the same.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "s3/aws_chunked_input.h"

namespace {

using namespace tercel::s3;

constexpr std::string_view kComplete = " complete";

// Chunks of a signed body are not guessed: they are put in their places by the writer, changed by
// the bytes of the input.
std::string signed_body(std::string_view script, std::uint64_t& decoded_bytes) {
  ChunkSigner signer = make_chunk_signer(kTestSeed);
  std::string body;
  decoded_bytes = 0;
  while (script.size() >= 3) {
    const std::size_t kilobytes = static_cast<unsigned char>(script[0]) % 12;
    const std::string data(kilobytes * 1024 + static_cast<unsigned char>(script[1]), script[2]);
    decoded_bytes += data.size();
    if (!data.empty()) body += chunk_of(data, &signer);
    script.remove_prefix(3);
    if (body.size() > 60'000) break;
  }
  body += chunk_of("", &signer) + "\r\n";
  if (!script.empty()) {
    const std::size_t at = static_cast<unsigned char>(script[0]) * body.size() / 256;
    body[at] = script.back();
  }
  return body;
}

void write_and_read(const AwsChunkedOptions& options, std::string_view data) {
  std::string body;
  for (std::size_t at = 0; at < data.size(); at += 1000) body += chunk_of(data.substr(at, 1000));
  body += chunk_of("");
  if (options.checksum) {
    body += trailer_of(*options.checksum, checksum_of(*options.checksum, data));
  }
  body += "\r\n";
  if (decode_in_steps(options, false, body, 777) != std::string{data} + std::string{kComplete}) {
    __builtin_trap();
  }
}

}  // namespace

// The first byte says in which steps the rest arrives, the second what the body is, the third how
// long.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view rest{reinterpret_cast<const char*>(data) + 3, size - 3};
  AwsChunkedOptions options{.decoded_bytes = data[2]};
  std::string body{rest};
  const bool sign = data[1] % 4 == 3;
  if (sign) {
    body = signed_body(rest, options.decoded_bytes);
  } else if (data[1] % 4 > 0) {
    options.checksum = data[1] % 4 == 1 ? ChecksumAlgorithm::kCrc32 : ChecksumAlgorithm::kSha256;
  }

  const std::string whole = decode_in_steps(options, sign, body, body.size() + 1);
  if (decode_in_steps(options, sign, body, 1 + data[0]) != whole) __builtin_trap();
  if (decode_split_at(options, sign, body, body.size() * data[0] / 256) != whole) __builtin_trap();

  if (!whole.ends_with(kComplete)) return 0;
  const std::string_view decoded{whole.data(), whole.size() - kComplete.size()};
  if (decoded.size() != options.decoded_bytes) __builtin_trap();
  if (!sign) write_and_read(options, decoded);
  return 0;
}
