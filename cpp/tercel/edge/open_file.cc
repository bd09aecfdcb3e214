#include "tercel/edge/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <linux/openat2.h>
#include <string_view>

namespace tercel::edge {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

// O_NONBLOCK does nothing to a regular file.
constexpr int kRead = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
// Looks a file up without opening it, so that nothing happens to what is no regular file.
constexpr int kLookUp = O_PATH | O_CLOEXEC;

nanoseconds time_of(const timespec& time) noexcept {
  return seconds{time.tv_sec} + nanoseconds{time.tv_nsec};
}

Errc error_of(int result) noexcept {
  switch (-result) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:
    case EACCES:
    case EPERM:
    case ENAMETOOLONG:
    case ENXIO:  // A socket, or a device that is not there.
    case ENODEV:
      return Errc::kNotFound;
    default: {
      const Errc error = net::error_of_call(result);
      return error == Errc::kTooManyFiles || error == Errc::kNoMemory ? error : Errc::kSystem;
    }
  }
}

// Of a descriptor of this process, in /proc.
class LinkOf {
 public:
  explicit LinkOf(int descriptor) noexcept {
    constexpr std::string_view kFolder = "/proc/self/fd/";
    char* const out = path_.data() + kFolder.copy(path_.data(), kFolder.size());
    *std::to_chars(out, path_.data() + path_.size() - 1, descriptor).ptr = '\0';
  }
  [[nodiscard]] const char* path() const noexcept { return path_.data(); }

 private:
  std::array<char, 32> path_;
};

// Where what is open lies now. Empty: nobody knows, or the path is too long to say.
std::string_view place_of(net::Syscalls& syscalls, int descriptor, std::span<char> out) noexcept {
  const ssize_t bytes = syscalls.readlink(LinkOf{descriptor}.path(), out);
  if (bytes <= 0 || static_cast<std::size_t>(bytes) >= out.size()) return {};
  return {out.data(), static_cast<std::size_t>(bytes)};
}

bool lies_in(net::Syscalls& syscalls, int file, int folder) noexcept {
  std::array<char, PATH_MAX> file_text;
  std::array<char, PATH_MAX> folder_text;
  const std::string_view place = place_of(syscalls, file, file_text);
  std::string_view around = place_of(syscalls, folder, folder_text);
  if (place.empty() || !around.starts_with('/') || !place.starts_with(around)) return false;
  if (around.ends_with('/')) return true;  // The root of all.
  return place.size() == around.size() || place[around.size()] == '/';
}

// Without openat2(), and where that refuses a link that leaves the folder on its way, or is an
// absolute path: finds the file, looks where it lies, and then opens that very file.
int look_up_and_open(net::Syscalls& syscalls, int folder, const char* path) noexcept {
  const int found = syscalls.openat(folder, path, kLookUp);
  if (found < 0) return found;
  const int opened = lies_in(syscalls, found, folder)
                         ? syscalls.openat(AT_FDCWD, LinkOf{found}.path(), kRead)
                         : -EXDEV;
  syscalls.close(found);
  return opened;
}

}  // namespace

OpenFile::OpenFile(net::Syscalls& syscalls, int descriptor, const struct stat& about) noexcept
    : syscalls_{&syscalls},
      descriptor_{descriptor},
      is_folder_{S_ISDIR(about.st_mode)},
      size_{static_cast<std::uint64_t>(about.st_size)},
      modified_{time_of(about.st_mtim)},
      changed_{time_of(about.st_ctim)} {}

OpenFile::OpenFile(OpenFile&& other) noexcept
    : syscalls_{other.syscalls_},
      descriptor_{other.release()},
      is_folder_{other.is_folder_},
      size_{other.size_},
      modified_{other.modified_},
      changed_{other.changed_} {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  if (this == &other) return *this;
  close();
  syscalls_ = other.syscalls_;
  descriptor_ = other.release();
  is_folder_ = other.is_folder_;
  size_ = other.size_;
  modified_ = other.modified_;
  changed_ = other.changed_;
  return *this;
}

void OpenFile::close() noexcept {
  if (descriptor_ >= 0) syscalls_->close(release());
}

Result<OpenFile> OpenFile::adopt(net::Syscalls& syscalls, int descriptor) noexcept {
  struct stat about {};
  const int result = syscalls.fstat(descriptor, &about);
  if (result == 0 && (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode))) {
    return OpenFile{syscalls, descriptor, about};
  }
  syscalls.close(descriptor);
  return fail(result == 0 ? Errc::kNotFound : error_of(result));
}

Result<OpenFile> OpenFile::open(net::Syscalls& syscalls, const char* path) noexcept {
  const int opened = syscalls.openat(AT_FDCWD, path, kRead);
  if (opened < 0) return fail(error_of(opened));
  return adopt(syscalls, opened);
}

Result<OpenFile> OpenFile::open_beneath(net::Syscalls& syscalls, int folder,
                                        const char* path) noexcept {
  int opened = syscalls.openat2(folder, path, kRead, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
  // Not there, or forbidden by a sandbox; a folder on the way was renamed meanwhile; a link.
  if (opened == -ENOSYS || opened == -EPERM || opened == -EAGAIN || opened == -EXDEV) {
    opened = look_up_and_open(syscalls, folder, path);
  }
  if (opened < 0) return fail(error_of(opened));
  return adopt(syscalls, opened);
}

}  // namespace tercel::edge
