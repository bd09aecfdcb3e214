// The cyclic redundancy checks of S3: CRC-32, CRC-32C and CRC-64/NVME.
//
//   std::uint64_t crc = 0;
//   crc = update_crc(Crc::kCrc32c, crc, bytes);          // Piece by piece; the last is the check.
//
// Two engines: carry-less multiplication where the processor has it (PCLMULQDQ, asked at run time),
// and tables, eight bytes a step, which are the definition of the first. Cost: with PCLMULQDQ about
// four instructions a 16 bytes. Values; nothing is allocated. Thread: any.
// Source: the catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC, CRC-32/ISCSI,
// CRC-64/NVME); Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
// Instruction". Tested by crc_test.cc.
#pragma once

#include <cstdint>
#include <string_view>

namespace tercel::s3 {

enum class Crc : std::uint8_t { kCrc32, kCrc32c, kCrc64Nvme };

// The check of all bytes so far and of `bytes` behind them. `crc` is what the last call returned,
// or 0 at the start.
[[nodiscard]] std::uint64_t update_crc(Crc kind, std::uint64_t crc,
                                       std::string_view bytes) noexcept;

// The same by tables alone, so that tests compare the engines.
[[nodiscard]] std::uint64_t update_crc_by_tables_for_test(Crc kind, std::uint64_t crc,
                                                          std::string_view bytes) noexcept;

}  // namespace tercel::s3
