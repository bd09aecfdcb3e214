#include "tercel/route/literal_table.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/route/segments.h"

namespace tercel::route {
namespace {

std::uint32_t find(const LiteralTable& table, std::uint32_t parent, std::string_view text) {
  return table.find(parent, text, hash_of(text) | 1);
}

TEST(LiteralTableTest, OfNothingFindsNothing) {
  const LiteralTable table;
  for (const std::string_view text : {"", "a", "users"}) EXPECT_EQ(find(table, 0, text), kNone);
}

// Texts of every length up to 40 that differ in one byte, below many parents.
TEST(LiteralTableTest, FindsWhatIsThereAndNothingElse) {
  std::vector<std::string> texts;
  for (std::size_t size = 0; size <= 40; ++size) {
    texts.emplace_back(size, 'a');
    for (std::size_t i = 0; i < size; ++i) (texts.emplace_back(size, 'a'))[i] = 'b';
  }
  std::vector<LiteralEdge> edges;
  for (std::uint32_t parent = 0; parent < 10; ++parent) {
    for (std::size_t i = 0; i < texts.size(); i += 2) {
      edges.push_back({parent, texts[i], static_cast<std::uint32_t>(edges.size())});
    }
  }
  const LiteralTable table{edges};
  for (const LiteralEdge& edge : edges) EXPECT_EQ(find(table, edge.parent, edge.text), edge.child);
  for (std::uint32_t parent = 0; parent < 11; ++parent) {
    for (std::size_t i = parent < 10 ? 1 : 0; i < texts.size(); i += 2) {
      EXPECT_EQ(find(table, parent, texts[i]), kNone) << texts[i];
    }
  }
}

// One text below half of the parents, and so many searches that the 16 bits of hash in a slot are
// those of another parent's some dozen times.
TEST(LiteralTableTest, TellsParentsApart) {
  constexpr std::uint32_t kParents = 1 << 20;
  std::vector<LiteralEdge> edges;
  for (std::uint32_t parent = 0; parent < kParents; parent += 2) edges.push_back({parent, "a", 1});
  const LiteralTable table{edges};
  for (std::uint32_t parent = 1; parent < kParents; parent += 2) {
    ASSERT_EQ(find(table, parent, "a"), kNone) << parent;
  }
}

// What a search may look at grows with the logarithm of the number of siblings, if at all.
TEST(LiteralTableTest, HasShortRunsHoweverManySiblings) {
  for (const std::size_t count : {1U, 100U, 10'000U, 65'536U}) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) texts.push_back("sibling" + std::to_string(i));
    std::vector<LiteralEdge> edges;
    for (const std::string& text : texts) edges.push_back({0, text, 1});
    EXPECT_LE(LiteralTable{edges}.longest_run(), 64U) << count;
  }
}

}  // namespace
}  // namespace tercel::route
