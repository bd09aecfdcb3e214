#include "tercel/server/memory_budget.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace tercel::server {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

class MemoryBudgetTest : public testing::Test {
 protected:
  MemoryBudgetTest()
      : root_{std::filesystem::temp_directory_path() / ("tercel_mem_" + std::to_string(getpid()))} {
  }
  ~MemoryBudgetTest() override { std::filesystem::remove_all(root_); }

  void file(const std::string& path, const std::string& text) {
    const std::filesystem::path full = root_ / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream{full} << text;
  }
  [[nodiscard]] std::optional<std::uint64_t> limit() const {
    return cgroup_memory_limit(root_.string());
  }

  std::filesystem::path root_;
};

TEST_F(MemoryBudgetTest, WithoutControlGroupsThereIsNoLimit) {
  EXPECT_EQ(limit(), std::nullopt);
  EXPECT_GT(available_memory(root_.string()), 16 * kMiB);
}

TEST_F(MemoryBudgetTest, Version2HasTheLimitInMemoryMax) {
  file("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(limit(), std::nullopt);
  file("sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(limit(), std::nullopt);
  file("sys/fs/cgroup/memory.max", "536870912\n");
  EXPECT_EQ(limit(), 512 * kMiB);
}

TEST_F(MemoryBudgetTest, TheLeastLimitOfTheGroupsAboveCounts) {
  file("proc/self/cgroup", "0::/a.slice/b.service\n");
  file("sys/fs/cgroup/a.slice/b.service/memory.max", "max\n");
  file("sys/fs/cgroup/a.slice/memory.max", "104857600\n");
  file("sys/fs/cgroup/memory.max", "209715200\n");
  EXPECT_EQ(limit(), 100 * kMiB);
  file("sys/fs/cgroup/a.slice/b.service/memory.max", "52428800\n");
  EXPECT_EQ(limit(), 50 * kMiB);
}

TEST_F(MemoryBudgetTest, Version1HasAHierarchyForMemory) {
  file("proc/self/cgroup", "3:cpu,cpuacct:/x\n2:hugetlb,memory:/docker/1\n1:memoryless:/y\n");
  file("sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "73400320\n");
  file("sys/fs/cgroup/cpu,cpuacct/x/memory.limit_in_bytes", "1\n");
  EXPECT_EQ(limit(), 70 * kMiB);
}

// In a container of version 1 the path is that of the host, and only the mount is there.
TEST_F(MemoryBudgetTest, Version1InAContainer) {
  file("proc/self/cgroup", "2:memory:/docker/1\n");
  file("sys/fs/cgroup/memory/memory.limit_in_bytes", "73400320\n");
  EXPECT_EQ(limit(), 70 * kMiB);
}

TEST_F(MemoryBudgetTest, MalformedFilesAreNoLimit) {
  file("proc/self/cgroup", "\n0\n0:\n0::\n:::\n0::relative\n");
  file("sys/fs/cgroup/memory.max", "-1\n");
  EXPECT_EQ(limit(), std::nullopt);
  file("sys/fs/cgroup/memory.max", "99999999999999999999999\n");
  EXPECT_EQ(limit(), std::nullopt);
}

TEST_F(MemoryBudgetTest, AGroupMayNotGrantMoreThanThereIs) {
  file("proc/self/cgroup", "0::/\n");
  file("sys/fs/cgroup/memory.max", "18446744073709551615\n");
  EXPECT_LT(available_memory(root_.string()), std::uint64_t{1} << 50);
  file("sys/fs/cgroup/memory.max", "1048576\n");
  EXPECT_EQ(available_memory(root_.string()), kMiB);
}

TEST(ConnectionsForTest, HalfOfTheMemoryAt16KiBEach) {
  EXPECT_EQ(connections_for(512 * kMiB), 16384U);
  EXPECT_EQ(connections_for(64 * kMiB), 2048U);
  EXPECT_EQ(connections_for(0), 64U);
}

}  // namespace
}  // namespace tercel::server
