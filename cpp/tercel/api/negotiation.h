// In which media types a route writes what its endpoint returns, and which of them a client likes.
//
//   const Negotiation negotiation{{"application/json", "application/msgpack"}};
//   const auto chosen = negotiation.choose(request);   // Nothing: 406, if the route is strict.
//   if (chosen) ... call.media_type = negotiation.name(*chosen)
//
// Thread: any. Cost: that of http/accept.h. Source: RFC 9110 section 12.5.1. Tested by app_test.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/http/media_type.h"
#include "tercel/http/message.h"

namespace tercel::api {

class Negotiation {
 public:
  // Up to http::kOffersMax media types without parameters; others are left out. The first is for
  // clients that take any. `names` has one that is a media type.
  explicit Negotiation(std::vector<std::string> names);
  Negotiation(const Negotiation&) = delete;
  Negotiation& operator=(const Negotiation&) = delete;

  // Nothing: the client takes none of them.
  [[nodiscard]] std::optional<std::size_t> choose(const http::Request& request) const noexcept;
  [[nodiscard]] std::string_view name(std::size_t index) const noexcept { return names_[index]; }
  // A sentence for who takes none of them.
  [[nodiscard]] std::string_view detail() const noexcept { return detail_; }

 private:
  std::vector<std::string> names_;
  std::vector<http::MediaType> types_;  // Into names_.
  std::string detail_;
};

}  // namespace tercel::api
