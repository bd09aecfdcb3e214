#include "tercel/base/scan.h"

#include <string>

#include <gtest/gtest.h>

#include "tercel/json/string_scan.h"

namespace tercel::json {
namespace {

// Two whole blocks and every tail, every byte at every position.
TEST(ScanTest, EnginesAgreeOnWhatEndsARunOfPlainBytes) {
  for (std::size_t size = 0; size <= 47; ++size) {
    std::string text(size, 'a');
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        text[at] = static_cast<char>(byte);
        const char* const end = text.data() + size;
        ASSERT_EQ(scan::find<StringMark>(text.data(), end),
                  scan::find_scalar<StringMark>(text.data(), end))
            << size << ' ' << at << ' ' << byte;
      }
      text[at] = 'a';
    }
  }
}

}  // namespace
}  // namespace tercel::json
