#include "tercel/config/table.h"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace tercel::config {
namespace {

TEST(TableTest, NamesAreUniqueWordsJoinedByDashes) {
  std::set<std::string_view> names;
  for (const Row& row : table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz2-"), std::string_view::npos);
    // `--no-x` turns a flag off, so no setting may be called so.
    EXPECT_FALSE(row.name.starts_with("no-")) << row.name;
  }
}

TEST(TableTest, NoMemberIsStoredByTwoRows) {
  const auto rows = table();
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    const auto same = [row](const Row& other) { return other.member == row->member; };
    EXPECT_EQ(std::find_if(std::next(row), rows.end(), same), rows.end()) << row->name;
  }
}

TEST(TableTest, RowsOfAGroupStandTogether) {
  EXPECT_TRUE(std::is_sorted(table().begin(), table().end(),
                             [](const Row& a, const Row& b) { return a.group < b.group; }));
}

TEST(TableTest, EveryRowHasSentencesOfHelp) {
  for (const Row& row : table()) {
    ASSERT_FALSE(row.help.empty()) << row.name;
    EXPECT_EQ(row.help.back(), '.') << row.name;
  }
}

TEST(TableTest, EveryNumberHasARangeAndEveryCountAUnit) {
  for (const Row& row : table()) {
    const Kind type = kind(row);
    const bool number = type == Kind::kCount || type == Kind::kBytes || type == Kind::kSeconds;
    if (!number) continue;
    EXPECT_LT(row.max, UINT64_MAX) << row.name;
    EXPECT_LE(row.min, row.max) << row.name;
    if (type == Kind::kCount) {
      const bool counts_nothing = row.name == "port" || row.name == "ws-deflate-level";
      EXPECT_EQ(row.unit.empty(), counts_nothing) << row.name;
    }
  }
}

TEST(TableTest, FindTakesDashesOrUnderscores) {
  ASSERT_NE(find("timeout-keep-alive"), nullptr);
  EXPECT_EQ(find("timeout-keep-alive"), find("timeout_keep_alive"));
  EXPECT_EQ(find("timeout-keep"), nullptr);
  EXPECT_EQ(find("timeout-keep-alive-"), nullptr);
  EXPECT_EQ(find(""), nullptr);
}

TEST(TableTest, KindsFollowTheMembers) {
  EXPECT_EQ(kind(*find("factory")), Kind::kFlag);
  EXPECT_EQ(kind(*find("use-colors")), Kind::kToggle);
  EXPECT_EQ(kind(*find("port")), Kind::kCount);
  EXPECT_EQ(kind(*find("limit-request-body")), Kind::kBytes);
  EXPECT_EQ(kind(*find("timeout-write")), Kind::kSeconds);
  EXPECT_EQ(kind(*find("uds-mode")), Kind::kMode);
  EXPECT_EQ(kind(*find("host")), Kind::kText);
  EXPECT_EQ(kind(*find("bind")), Kind::kList);
  EXPECT_EQ(kind(*find("log-level")), Kind::kChoice);
  for (const Row& row : table()) {
    EXPECT_EQ(choices(row).empty(), kind(row) != Kind::kChoice) << row.name;
  }
}

TEST(TableTest, MustBeCompletesASentence) {
  EXPECT_EQ(must_be(*find("factory")), "true or false");
  EXPECT_EQ(must_be(*find("port")), "a whole number from 0 to 65535");
  EXPECT_EQ(must_be(*find("limit-request-target")),
            "a size such as 4096, 64KiB or 1MiB, from 64 to 1MiB");
  EXPECT_EQ(must_be(*find("timeout-request")),
            "a time in seconds such as 30, 0.5, 500ms or 5min, from 0.001 to 31536000, or 0 for no "
            "limit");
  EXPECT_EQ(must_be(*find("workers")),
            "a whole number from 0 to 1024, where 0 means one for each processor");
  EXPECT_EQ(must_be(*find("lifespan")), "one of auto, on, off");
  EXPECT_EQ(must_be(*find("bind")), "host:port, [ipv6]:port, unix:/path or fd://number");
}

}  // namespace
}  // namespace tercel::config
