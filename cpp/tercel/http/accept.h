// Content negotiation: which of the media types on offer the client likes best, and which content
// codings it takes.
//
//   const auto chosen = choose_media_type(request.fields, offers);
//   if (!chosen) ...                                  // 406
//
// For each offer the most specific range that covers it counts: type/subtype with parameters, then
// without, then type/*, then */*; its q-value is the weight of the offer. The heaviest offer wins,
// of equal ones the first; weight 0 is not acceptable. Without ranges everything is. Lenient where
// clients are: "*" is "*/*", ".2" is 0.2, further digits are ignored, and an element that is no
// range says nothing. Cost: linear in the fields, times the offers.
// Source: RFC 9110 sections 12.4.2, 12.5.1 and 12.5.3. Tested by accept_test.cc, fuzzed by
// media_type_fuzz.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/http/media_type.h"
#include "tercel/http/message.h"

namespace tercel::http {

inline constexpr std::size_t kOffersMax = 16;
// Elements behind these are not read: no client sends half as many.
inline constexpr std::size_t kAcceptElementsMax = 64;

// The index of the offer to send; nothing: the client accepts none of them. REQUIRES: at least one
// offer, at most kOffersMax.
[[nodiscard]] std::optional<std::size_t> choose_media_type(
    std::span<const Field> fields, std::span<const MediaType> offers) noexcept;

// The weight that Accept-Encoding gives a content coding, in thousandths; 0: it is not to be sent.
// What is not named has that of "*", and without one none; "x-gzip" is gzip. `identity` that is not
// named has none either, though it may always be sent. REQUIRES: `coding` is in lower case.
[[nodiscard]] int coding_weight(std::span<const Field> fields, std::string_view coding) noexcept;

}  // namespace tercel::http
