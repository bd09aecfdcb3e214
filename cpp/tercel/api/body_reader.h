// Collects the body of a request for a route that is called when all of it is here.
//
// Most bodies arrive with their head and never come here. For the others this is the observer of
// the exchange: it keeps the request, pulls the body into a pooled block, and hands both
// back. A body above the limit of its route ends with 413, at the byte that is too much.
//
// Resource: lives in a slab, from the first part until the end of the body or of the exchange.
// Tested by app_test.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::api {

class BodyReader;

// Whom it works for.
class BodyOwner {
 public:
  // The body is here. `request` and `body` are valid during the call; nobody observes the exchange.
  // `route`: as the reader was given it.
  virtual void on_body(std::uint32_t route, const http::Request& request, std::string_view body,
                       http::Exchange& exchange) noexcept = 0;
  virtual void on_body_too_large(std::uint32_t route, const http::Request& request,
                                 http::Exchange& exchange) noexcept = 0;
  // The last that is heard of it.
  virtual void destroy(BodyReader* reader) noexcept = 0;

 protected:
  ~BodyOwner() = default;
};

class BodyReader final : public http::Observer {
 public:
  // Pulls `bytes_max` at most. Blocks are taken from `blocks`, which outlives it. `route`: the
  // number of that which the body is for.
  BodyReader(BodyOwner& owner, BlockPool& blocks, std::uint32_t route,
             std::uint64_t bytes_max) noexcept
      : owner_{owner}, blocks_{blocks}, route_{route}, bytes_max_{bytes_max} {}
  BodyReader(const BodyReader&) = delete;
  BodyReader& operator=(const BodyReader&) = delete;

  // Begins with `first`, which was read already, and pulls the rest. All views of `request` are
  // into `head`. May be gone when it returns.
  void start(const http::Request& request, Block head, std::string_view first,
             http::Exchange& exchange) noexcept;

  void on_body() noexcept override { pull(); }
  void on_writable() noexcept override {}
  void on_notice(http::Notice) noexcept override {}
  void on_end(http::Outcome) noexcept override { owner_.destroy(this); }

 private:
  enum class Appended : std::uint8_t { kYes, kTooLarge, kNoMemory };

  void pull() noexcept;
  [[nodiscard]] Appended append(std::string_view bytes) noexcept;
  // Ends with what `append` said.
  void refuse(Appended why) noexcept;

  BodyOwner& owner_;
  BlockPool& blocks_;
  std::uint32_t route_;
  http::Exchange* exchange_ = nullptr;
  Block head_;
  http::Request request_;  // In head_.
  Block body_;
  std::size_t size_ = 0;
  std::uint64_t bytes_max_;
};

}  // namespace tercel::api
