#include "tercel/http/message.h"

#include <array>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

TEST(MessageTest, TheFirstFieldOfANameIsFoundInWhateverCaseItIs) {
  const std::array<Field, 4> fields{{{"vary", "a"}, {"ETag", "b"}, {"etag", "c"}, {"etags", "d"}}};
  EXPECT_EQ(find_field(fields, "etag"), &fields[1]);
  EXPECT_EQ(find_field(fields, "etags"), &fields[3]);
  EXPECT_EQ(find_field(fields, "tag"), nullptr);
  EXPECT_EQ(find_field({}, "etag"), nullptr);
}

}  // namespace
}  // namespace tercel::http
