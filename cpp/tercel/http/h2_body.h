// The body of one HTTP/2 request, between its arrival and its reader: at most what the window of
// the stream let the peer send.
//
// Resource: belongs to one exchange; its parts come from the loop's slab. Thread: one.
// Tested by h2_body_test.cc.
#pragma once

#include <cstddef>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/base/slab.h"

namespace tercel::http {

struct H2BodyPart {
  H2BodyPart* next = nullptr;
  Block block;
  std::size_t bytes = 0;
};

class H2Body {
 public:
  // A block of a body that goes on, at most.
  static constexpr std::size_t kPartBytesMax = 16384;

  explicit H2Body(Slab<H2BodyPart>& parts) noexcept : parts_{parts} {}
  H2Body(const H2Body&) = delete;
  H2Body& operator=(const H2Body&) = delete;
  ~H2Body() { clear(); }

  // Copies `bytes` behind what is here. False: memory is exhausted.
  [[nodiscard]] bool append(std::string_view bytes, BlockPool& blocks) noexcept;
  // The next part, empty when there is none. Valid until the next call of take() or clear().
  [[nodiscard]] std::string_view take() noexcept;
  void clear() noexcept;

  // Appended and not taken.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  void pop() noexcept;

  Slab<H2BodyPart>& parts_;
  H2BodyPart* head_ = nullptr;
  H2BodyPart* tail_ = nullptr;
  std::size_t bytes_ = 0;
  bool head_taken_ = false;
};

}  // namespace tercel::http
