#include "tercel/base/process_mark.h"

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace tercel {
namespace {

TEST(ProcessMarkTest, AChildIsNotWhereItsParentsMarksWereMade) {
  const ProcessMark before;
  EXPECT_TRUE(before.here());
  const pid_t child = fork();
  if (child == 0) {
    const ProcessMark own;
    _exit(before.here() ? 1 : own.here() ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(before.here());
  EXPECT_TRUE(ProcessMark{}.here());
}

}  // namespace
}  // namespace tercel
