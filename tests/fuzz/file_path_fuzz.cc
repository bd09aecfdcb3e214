// Invariant: whatever the path of a request, that of the file has no name that is empty, begins
// with a dot or holds a zero byte, and leaves room for endings.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "tercel/edge/file_path.h"

using tercel::edge::FilePath;
using tercel::edge::PathKind;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  for (const std::string_view prefix : {"", "/a", "/a b/c"}) {
    FilePath path;
    const PathKind kind = path.read(input, prefix);
    if (kind != PathKind::kFile && kind != PathKind::kFolder) continue;
    if (std::strlen(path.c_str()) != path.text().size()) __builtin_trap();
    if (path.text().size() > FilePath::kPathBytesMax) __builtin_trap();
    if (path.text() == ".") continue;
    std::string names{"/"};
    names += path.text();
    if (names.find("//") != std::string::npos || names.find("/.") != std::string::npos) {
      __builtin_trap();
    }
    if (names.ends_with('/')) __builtin_trap();
  }
  return 0;
}
