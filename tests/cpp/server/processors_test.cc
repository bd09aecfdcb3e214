#include "tercel/server/processors.h"

#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace tercel::server {
namespace {

class ProcessorsTest : public testing::Test {
 protected:
  ProcessorsTest()
      : root_{std::filesystem::temp_directory_path() / ("tercel_cpu_" + std::to_string(getpid()))} {
  }
  ~ProcessorsTest() override { std::filesystem::remove_all(root_); }

  void file(const std::string& path, const std::string& text) {
    const std::filesystem::path full = root_ / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream{full} << text;
  }
  [[nodiscard]] std::optional<std::size_t> limit() const {
    return cgroup_processor_limit(root_.string());
  }

  std::filesystem::path root_;
};

TEST_F(ProcessorsTest, WithoutControlGroupsTheAffinityCounts) {
  EXPECT_EQ(limit(), std::nullopt);
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  EXPECT_EQ(available_processors(root_.string()), static_cast<std::size_t>(CPU_COUNT(&before)));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t number = 0; CPU_COUNT(&one) == 0; ++number) {
    if (CPU_ISSET(number, &before)) CPU_SET(number, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(available_processors(root_.string()), 1U);
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

TEST_F(ProcessorsTest, Version2HasQuotaAndPeriodInOneFile) {
  file("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(limit(), std::nullopt);
  file("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(limit(), std::nullopt);
  file("sys/fs/cgroup/cpu.max", "300000 100000\n");
  EXPECT_EQ(limit(), 3U);
}

TEST_F(ProcessorsTest, AShareOfAProcessorCountsAsOne) {
  file("proc/self/cgroup", "0::/\n");
  file("sys/fs/cgroup/cpu.max", "150000 100000\n");
  EXPECT_EQ(limit(), 2U);
  file("sys/fs/cgroup/cpu.max", "1000 100000\n");
  EXPECT_EQ(limit(), 1U);
  EXPECT_EQ(available_processors(root_.string()), 1U);
}

TEST_F(ProcessorsTest, TheLeastOfTheGroupsAboveCounts) {
  file("proc/self/cgroup", "0::/a.slice/b.scope\n");
  file("sys/fs/cgroup/a.slice/b.scope/cpu.max", "max 100000\n");
  file("sys/fs/cgroup/a.slice/cpu.max", "200000 100000\n");
  file("sys/fs/cgroup/cpu.max", "400000 100000\n");
  EXPECT_EQ(limit(), 2U);
}

TEST_F(ProcessorsTest, Version1HasAHierarchyForProcessors) {
  file("proc/self/cgroup", "4:cpu,cpuacct:/docker/x\n2:memory:/docker/x\n");
  // As in a container: the path is that of the host, and only the mount is there.
  file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit(), std::nullopt);
  file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(limit(), 3U);
}

TEST_F(ProcessorsTest, NonsenseIsNoLimit) {
  file("proc/self/cgroup", "0::/\n");
  for (const char* text : {"", "\n", "100000", "100000 \n", "100000 0\n", "x y\n", "-1 100000\n"}) {
    file("sys/fs/cgroup/cpu.max", text);
    EXPECT_EQ(limit(), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tercel::server
