#include "tercel/edge/file_path.h"

#include "tercel/base/assert.h"
#include "tercel/base/percent.h"

namespace tercel::edge {
namespace {

constexpr std::string_view kZero{"\0", 1};

}  // namespace

std::size_t match_prefix(std::string_view path, std::string_view prefix) noexcept {
  if (!path.starts_with('/')) return std::string_view::npos;
  std::string_view rest = path;
  for (const char c : prefix) {
    // A slash that is encoded is none.
    if (rest.empty() || (rest.front() == '/') != (c == '/') || take_decoded(rest) != c) {
      return std::string_view::npos;
    }
  }
  if (!rest.empty() && rest.front() != '/') return std::string_view::npos;
  return path.size() - rest.size();
}

PathKind FilePath::read(std::string_view path, std::string_view prefix) noexcept {
  bytes_ = 0;
  text_[0] = '\0';
  const std::size_t behind = match_prefix(path, prefix);
  if (behind == std::string_view::npos) return PathKind::kElsewhere;
  std::string_view rest = path.substr(behind);
  PathKind kind = PathKind::kFile;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view name = rest.substr(0, rest.find('/'));
    rest.remove_prefix(name.size());
    if (name.empty() && rest.empty()) {
      kind = PathKind::kFolder;
    } else if (!add_name(name)) {
      return PathKind::kRefused;
    }
  }
  if (bytes_ == 0) append(".");
  return kind;
}

bool FilePath::add_name(std::string_view encoded) noexcept {
  if (!valid_percent_encoding(encoded)) return false;
  std::array<char, PATH_MAX> decoded;
  if (encoded.size() > decoded.size()) return false;
  const std::string_view name = percent_decode(encoded, decoded);
  if (name.empty() || name.front() == '.' || name.size() > NAME_MAX) return false;
  if (name.find('/') != std::string_view::npos || name.find(kZero) != std::string_view::npos) {
    return false;
  }
  if (bytes_ + 1 + name.size() > kPathBytesMax) return false;
  if (bytes_ > 0) append("/");
  append(name);
  return true;
}

void FilePath::append(std::string_view ending) noexcept {
  TERCEL_ASSERT(bytes_ + ending.size() < text_.size());
  bytes_ += ending.copy(text_.data() + bytes_, ending.size());
  text_[bytes_] = '\0';
}

void FilePath::cut(std::size_t bytes) noexcept {
  TERCEL_ASSERT(bytes <= bytes_);
  bytes_ -= bytes;
  text_[bytes_] = '\0';
}

}  // namespace tercel::edge
