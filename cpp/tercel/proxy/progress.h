// What an origin may have seen of a request.
#pragma once

#include <cstdint>

namespace tercel::proxy {

enum class Progress : std::uint8_t {
  kUnsent,    // Nothing.
  kHeadSent,  // The head, or a part of it, and no byte of the body.
  kBodySent,  // Bytes of the body: they are gone.
  kAnswered   // It answered, or began to.
};

}  // namespace tercel::proxy
