// Times as S3 writes them: 20130524T000000Z in requests, 2013-05-24T00:00:00Z in documents.
//
// Seconds since 1970, UTC; years 1970 to 9999. Source: AWS, "Elements of an AWS API request
// signature": ISO 8601, basic format. Tested by amz_date_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

namespace tercel::s3 {

using AmzDate = std::array<char, 16>;
using IsoDate = std::array<char, 20>;

// Nothing: another form in any byte, or no second of the calendar. There are no leap seconds.
[[nodiscard]] std::optional<std::chrono::seconds> parse_amz_date(std::string_view text) noexcept;

// Times outside of the years become the nearest within.
[[nodiscard]] AmzDate to_amz_date(std::chrono::seconds time) noexcept;
[[nodiscard]] IsoDate to_iso_date(std::chrono::seconds time) noexcept;

}  // namespace tercel::s3
