// Bodies in aws-chunked, made as a client makes them; ways to present one to a decoder, and what it
// makes of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "tercel/s3/aws_chunked.h"

namespace tercel::s3 {

// What AWS publishes with its vectors.
inline ChunkSigner make_chunk_signer(std::string_view seed) {
  const SigningKey key{"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1"};
  return ChunkSigner{key, {.timestamp = "20130524T000000Z", .region = "us-east-1"}, seed};
}

inline constexpr std::string_view kTestSeed =
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";

inline std::string hex_of(std::size_t number) {
  std::string text;
  do {
    text.insert(text.begin(), "0123456789abcdef"[number % 16]);
    number /= 16;
  } while (number > 0);
  return text;
}

// One chunk; with a signer, signed.
inline std::string chunk_of(std::string_view data, ChunkSigner* signer = nullptr) {
  std::string chunk = hex_of(data.size());
  if (signer != nullptr) {
    chunk.append(";chunk-signature=").append(view(signer->sign_chunk(sha256(data))));
  }
  chunk += "\r\n";
  if (!data.empty()) chunk.append(data).append("\r\n");
  return chunk;
}

inline std::string checksum_of(ChecksumAlgorithm algorithm, std::string_view data) {
  Checksum checksum{algorithm};
  checksum.update(data);
  return std::string{checksum.finish().text()};
}

// "name:value CRLF", and its signature.
inline std::string trailer_of(ChecksumAlgorithm algorithm, std::string_view value,
                              const ChunkSigner* signer = nullptr) {
  const std::string line = std::string{field_of(algorithm)} + ":" + std::string{value};
  std::string trailer = line + "\r\n";
  if (signer != nullptr) {
    trailer += "x-amz-trailer-signature:";
    trailer.append(view(signer->sign_trailer(sha256(line + "\n")))).append("\r\n");
  }
  return trailer;
}

class ChunkedRun {
 public:
  // `sign`: with kTestSeed, whatever the options' signer is.
  explicit ChunkedRun(AwsChunkedOptions options, bool sign)
      : signer_{make_chunk_signer(kTestSeed)},
        total_bytes_{options.decoded_bytes},
        decoder_{with(options, sign ? &signer_ : nullptr)} {}

  // A copy of exactly the piece's size, so that AddressSanitizer sees the first byte beyond.
  void feed(std::string_view piece) {
    const std::string copy{piece};
    std::string_view bytes{copy};
    while (!failed_) {
      switch (decoder_.next(bytes)) {
        case AwsChunkedDecoder::Event::kNeedMore:
          if (!bytes.empty()) __builtin_trap();
          return;
        case AwsChunkedDecoder::Event::kData:
          if (decoder_.data().empty() || ended_) __builtin_trap();
          data_ += decoder_.data();
          if (data_.size() > total_bytes_) __builtin_trap();
          break;
        case AwsChunkedDecoder::Event::kEnd:
          if (ended_) __builtin_trap();
          ended_ = true;
          break;
        case AwsChunkedDecoder::Event::kFailed:
          failed_ = true;
          break;
      }
    }
  }

  // The data, and " complete", " incomplete" or the name of an error behind them. What is told of
  // data that turn out to be wrong depends on the pieces: of these, the end alone.
  [[nodiscard]] std::string finish() const {
    // The upstream waits for the rest: nothing is stored yet.
    if (data_.size() == total_bytes_ && total_bytes_ > 0) __builtin_trap();
    if (failed_) return std::string{info(decoder_.failure()).code};
    if (decoder_.complete() != ended_) __builtin_trap();
    if (!ended_) return "incomplete";
    const std::string all = data_ + std::string{decoder_.rest()};
    if (all.size() != total_bytes_) __builtin_trap();
    return all + " complete";
  }

 private:
  static AwsChunkedOptions with(AwsChunkedOptions options, ChunkSigner* signer) {
    options.signer = signer;
    return options;
  }

  ChunkSigner signer_;
  std::size_t total_bytes_;
  AwsChunkedDecoder decoder_;
  std::string data_;
  bool ended_ = false;
  bool failed_ = false;
};

inline std::string decode_in_steps(const AwsChunkedOptions& options, bool sign,
                                   std::string_view body, std::size_t step) {
  ChunkedRun run{options, sign};
  for (std::size_t at = 0; at < body.size(); at += step) run.feed(body.substr(at, step));
  return run.finish();
}

inline std::string decode_split_at(const AwsChunkedOptions& options, bool sign,
                                   std::string_view body, std::size_t cut) {
  ChunkedRun run{options, sign};
  run.feed(body.substr(0, cut));
  run.feed(body.substr(cut));
  return run.finish();
}

}  // namespace tercel::s3
