#include "tercel/schema/uri.h"

#include <gtest/gtest.h>

namespace tercel::schema {
namespace {

// The examples of RFC 3986 section 5.4, but for two that are abnormal.
TEST(UriTest, ResolvesTheExamplesOfRfc3986) {
  const struct {
    std::string_view reference;
    std::string_view target;
  } cases[] = {{"g:h", "g:h"},
               {"g", "http://a/b/c/g"},
               {"./g", "http://a/b/c/g"},
               {"g/", "http://a/b/c/g/"},
               {"/g", "http://a/g"},
               {"//g", "http://g"},
               {"?y", "http://a/b/c/d;p?y"},
               {"g?y", "http://a/b/c/g?y"},
               {"#s", "http://a/b/c/d;p?q#s"},
               {"g#s", "http://a/b/c/g#s"},
               {"g?y#s", "http://a/b/c/g?y#s"},
               {";x", "http://a/b/c/;x"},
               {"g;x?y#s", "http://a/b/c/g;x?y#s"},
               {"", "http://a/b/c/d;p?q"},
               {".", "http://a/b/c/"},
               {"./", "http://a/b/c/"},
               {"..", "http://a/b/"},
               {"../", "http://a/b/"},
               {"../g", "http://a/b/g"},
               {"../..", "http://a/"},
               {"../../", "http://a/"},
               {"../../g", "http://a/g"},
               {"../../../g", "http://a/g"},
               {"/./g", "http://a/g"},
               {"/../g", "http://a/g"},
               {"g.", "http://a/b/c/g."},
               {"..g", "http://a/b/c/..g"},
               {"./../g", "http://a/b/g"},
               {"./g/.", "http://a/b/c/g/"},
               {"g/./h", "http://a/b/c/g/h"},
               {"g/../h", "http://a/b/c/h"},
               {"g;x=1/../y", "http://a/b/c/y"},
               {"g?y/../x", "http://a/b/c/g?y/../x"},
               {"g#s/../x", "http://a/b/c/g#s/../x"}};
  for (const auto& [reference, target] : cases) {
    EXPECT_EQ(resolve_uri("http://a/b/c/d;p?q", reference), target) << reference;
  }
}

TEST(UriTest, BasesWithoutHierarchyHaveFragmentsOnly) {
  EXPECT_EQ(resolve_uri("urn:uuid:1", "#a"), "urn:uuid:1#a");
  EXPECT_EQ(resolve_uri("urn:uuid:1", "b"), "b");
  EXPECT_EQ(resolve_uri("", "#a"), "#a");
  EXPECT_EQ(resolve_uri("", "http://a/../b"), "http://a/b");
  EXPECT_EQ(resolve_uri("http://a", "b"), "http://a/b");
  EXPECT_EQ(resolve_uri("urn:a", "urn:b:../c"), "urn:b:../c");
}

TEST(UriTest, SplitsAndDecodesFragments) {
  EXPECT_EQ(split_fragment("a#b#c").document, "a");
  EXPECT_EQ(split_fragment("a#b#c").fragment, "b#c");
  EXPECT_EQ(split_fragment("a").fragment, "");
  EXPECT_EQ(percent_decoded("a%25b%20%C3%A9"), "a%b \xC3\xA9");
  EXPECT_EQ(percent_decoded("%"), "%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%4g"), "%4g");
}

}  // namespace
}  // namespace tercel::schema
