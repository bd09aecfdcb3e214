// A directory that is removed, with all that is in it, at the end of the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace tercel::test {

// Resource.
class TemporaryDirectory {
 public:
  // Short: the path of a Unix socket has 107 bytes at most.
  TemporaryDirectory() : path_{"/tmp/tercel-XXXXXX"} {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace tercel::test
