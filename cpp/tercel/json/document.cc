#include "tercel/json/document.h"

namespace tercel::json {

void Document::clear() noexcept {
  filled_ = false;
  nodes_.release_above(kKeptBytesMax);
  strings_.release_above(kKeptBytesMax);
  copy_.release_above(kKeptBytesMax);
}

}  // namespace tercel::json
