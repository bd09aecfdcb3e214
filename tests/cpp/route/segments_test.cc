#include "tercel/route/segments.h"

#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/base/percent.h"

namespace tercel::route {
namespace {

using Texts = std::vector<std::string>;

Texts cut(const std::string& path, std::size_t most = kSegmentsMax + 1) {
  // Of exact size on the heap, so that a sanitizer sees a byte too many.
  const std::vector<char> bytes(path.begin(), path.end());
  std::vector<char> decoded(path.size());
  const Segments segments{{bytes.data(), bytes.size()}, decoded, most};
  Texts out;
  for (std::size_t i = 0; i < segments.size(); ++i) out.emplace_back(segments.text(i));
  return out;
}

// Byte by byte.
Texts cut_slowly(const std::string& path, std::size_t most) {
  Texts out;
  std::size_t begin = 1;
  while (out.size() < most) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    std::string text = path.substr(begin, end - begin);
    text.resize(percent_decode(text, text).size());
    out.push_back(text);
    if (end == path.size()) break;
    begin = end + 1;
  }
  return out;
}

TEST(SegmentsTest, AreWhatIsBetweenSlashes) {
  EXPECT_EQ(cut("/"), Texts{""});
  EXPECT_EQ(cut("/a"), Texts{"a"});
  EXPECT_EQ(cut("/a/"), (Texts{"a", ""}));
  EXPECT_EQ(cut("//a//b"), (Texts{"", "a", "", "b"}));
}

TEST(SegmentsTest, AreCutBeforeTheyAreDecoded) {
  EXPECT_EQ(cut("/a%2Fb/c"), (Texts{"a/b", "c"}));
  EXPECT_EQ(cut("/%41/%zz/%2"), (Texts{"A", "%zz", "%2"}));
  EXPECT_EQ(cut("/%2541"), Texts{"%41"});
}

TEST(SegmentsTest, AgreeWithASlowCutter) {
  std::mt19937 random{1};
  constexpr std::string_view kBytes = "/a%2F\xAF\xA5\x2E\x30";
  for (int run = 0; run < 20'000; ++run) {
    std::string path = "/";
    const std::size_t size = random() % 40;
    for (std::size_t i = 0; i < size; ++i) path += kBytes[random() % kBytes.size()];
    const std::size_t most = random() % 12;
    ASSERT_EQ(cut(path, most), cut_slowly(path, most)) << path << ' ' << most;
  }
}

TEST(SegmentsTest, HaveARestFromEach) {
  const std::string path = "/a%41/b%42/c%2Fd/%";
  std::vector<char> decoded(path.size());
  Segments segments{path, decoded, 3};
  EXPECT_EQ(segments.offset(1), 6U);
  EXPECT_EQ(segments.rest(2), "c/d/%");
  EXPECT_EQ(segments.text(0), "aA");
  EXPECT_EQ(segments.rest(1), "bB/c/d/%");
  EXPECT_EQ(segments.text(0), "aA");
  EXPECT_EQ(segments.rest(0), "aA/bB/c/d/%");
}

TEST(SegmentsTest, AreNoMoreThanWasAskedFor) {
  const std::string path(100'000, '/');
  EXPECT_EQ(cut(path, 3), (Texts{"", "", ""}));
  EXPECT_EQ(cut(path, kSegmentsMax + 1).size(), kSegmentsMax + 1);
}

TEST(HashOfTest, DependsOnEveryByteAndOnTheSize) {
  std::set<std::uint64_t> hashes;
  std::size_t texts = 0;
  for (std::size_t size = 0; size <= 40; ++size) {
    hashes.insert(hash_of(std::string(size, '\0')));
    ++texts;
    for (std::size_t i = 0; i < size; ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string text(size, '\0');
        text[i] = static_cast<char>(1 << bit);
        hashes.insert(hash_of(text));
        ++texts;
      }
    }
  }
  EXPECT_EQ(hashes.size(), texts);
}

}  // namespace
}  // namespace tercel::route
