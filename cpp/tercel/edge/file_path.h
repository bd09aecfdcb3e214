// From the path of a request to that of a file in a folder.
//
//   FilePath path;
//   switch (path.read("/assets/css/site.css", "/assets")) ...   // kFile, "css/site.css"
//
// | the path                                          | what it is                            |
// |---------------------------------------------------|---------------------------------------|
// | the prefix, a slash and names, each decoded once  | kFile                                 |
// | the same with a slash behind it                   | kFolder                               |
// | the prefix alone                                  | kFile, "."                            |
// | a name that begins with a dot: "..", ".git"       | kRefused                              |
// | a name with a slash or a zero byte in it (%2F)    | kRefused                              |
// | "//", a malformed %XX, what no system can open    | kRefused                              |
// | anything else                                     | kElsewhere                            |
//
// A path is cut into names before it is decoded, and nothing is decoded twice, so no encoding of a
// slash or a dot means another folder. Cost: linear. Source: RFC 3986 sections 2 and 3.3. Tested by
// file_path_test.cc, fuzzed by file_path_fuzz.cc.
#pragma once

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tercel::edge {

enum class PathKind : std::uint8_t { kElsewhere, kFile, kFolder, kRefused };

// A value: a path from a folder on, with room for an ending.
class FilePath {
 public:
  // Of the longest that is appended: "/index.html.zst".
  static constexpr std::size_t kEndingBytesMax = 24;
  static constexpr std::size_t kPathBytesMax = PATH_MAX - 1 - kEndingBytesMax;

  // `path`: percent-encoded, from a slash on. `prefix`: decoded, without a slash at its end; empty:
  // everything is in the folder.
  [[nodiscard]] PathKind read(std::string_view path, std::string_view prefix) noexcept;

  // The path, after read() said kFile, or the folder's, without a slash behind it; "." for the
  // folder that everything is in.
  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), bytes_}; }
  [[nodiscard]] const char* c_str() const noexcept { return text_.data(); }
  // Puts `ending` behind it. REQUIRES: all endings together fit into kEndingBytesMax.
  void append(std::string_view ending) noexcept;
  // Takes off what was appended last.
  void cut(std::size_t bytes) noexcept;

 private:
  [[nodiscard]] bool add_name(std::string_view encoded) noexcept;

  std::array<char, PATH_MAX> text_;
  std::size_t bytes_ = 0;
};

// How many bytes of `path` stand for `prefix`, up to a slash or the end; npos: none do.
[[nodiscard]] std::size_t match_prefix(std::string_view path, std::string_view prefix) noexcept;

}  // namespace tercel::edge
