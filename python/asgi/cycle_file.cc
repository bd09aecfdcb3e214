// send() of files: http.response.pathsend and http.response.zerocopysend.
//
// Files are sent by the kernel, without passing through Python. Only regular files: anything else
// could make the loop wait. Opening one and asking for its size is done on the loop's thread.
// Source: ASGI extensions "Path Send" and "Zero Copy Send". Tested by test_asgi_extensions.py.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>

#include "python/asgi/cycle.h"
#include "python/asgi/errors.h"
#include "python/asgi/interned.h"
#include "python/asgi/messages.h"

namespace tercel::python::asgi {
namespace {

// A descriptor of ours, closed at the end.
class File {
 public:
  explicit File(int descriptor) noexcept : descriptor_{descriptor} {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  // Passes the descriptor on to whoever sends it, and closes it afterwards.
  [[nodiscard]] http::FileRange range(std::uint64_t offset, std::uint64_t count) noexcept {
    const int descriptor = std::exchange(descriptor_, -1);
    return {.file = descriptor,
            .offset = offset,
            .count = count,
            .owner = reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)),
            .release = &close_owned};
  }

 private:
  static void close_owned(void* owner) noexcept {
    close(static_cast<int>(reinterpret_cast<std::intptr_t>(owner)));
  }
  int descriptor_;
};

// The size of a regular file, or nothing with OSError set. `name` is its path, or null.
std::optional<std::uint64_t> size_of(int descriptor, PyObject* name) noexcept {
  struct stat about {};
  if (fstat(descriptor, &about) == 0) {
    if (S_ISREG(about.st_mode)) return static_cast<std::uint64_t>(about.st_size);
    errno = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
  }
  PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, name);
  return {};
}

// Reads a number of bytes from `message` into `bytes`, which stays empty when it is absent or None.
// False with TypeError or ValueError set when it is not an int of at least 0.
bool find_bytes(PyObject* message, PyObject* key, std::optional<std::uint64_t>& bytes) noexcept {
  PyObject* value = find(message, key);
  if (value == nullptr || value == Py_None) return !PyErr_Occurred();
  if (!PyLong_Check(value)) {
    PyErr_Format(PyExc_TypeError, "%U must be int, not %.100s", key, Py_TYPE(value)->tp_name);
    return false;
  }
  const long long number = PyLong_AsLongLong(value);
  if (number == -1 && PyErr_Occurred()) return false;
  if (number < 0) {
    PyErr_Format(PyExc_ValueError, "%U must not be negative", key);
    return false;
  }
  bytes = static_cast<std::uint64_t>(number);
  return true;
}

// Opens the absolute path `path`, or sets TypeError, ValueError or OSError and returns -1.
int open_path(PyObject* path) noexcept {
  PyObject* encoded = nullptr;
  if (!PyUnicode_FSConverter(path, &encoded)) return -1;
  const Ref bytes = Ref::steal(encoded);
  const char* text = PyBytes_AS_STRING(encoded);
  if (*text != '/') {
    PyErr_Format(PyExc_ValueError, "path must be absolute, got %R", path);
    return -1;
  }
  // O_NONBLOCK: a FIFO would wait for its writer. It does nothing to a regular file.
  const int descriptor = open(text, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor < 0) PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
  return descriptor;
}

}  // namespace

PyObject* Cycle::send_path(PyObject* message) noexcept {
  PyObject* path = require(message, keys.path);
  if (path == nullptr) return nullptr;
  File file{open_path(path)};
  if (file.descriptor() < 0) return nullptr;
  const std::optional<std::uint64_t> bytes = size_of(file.descriptor(), path);
  if (!bytes) return nullptr;
  if (!attached()) return raise_detached();
  return written(exchange_->write_file(file.range(0, *bytes), final_part(false)), false,
                 static_cast<std::size_t>(*bytes));
}

PyObject* Cycle::send_file(PyObject* message) noexcept {
  PyObject* object = require(message, keys.file);
  if (object == nullptr) return nullptr;
  const int theirs = PyObject_AsFileDescriptor(object);
  if (theirs < 0) return nullptr;
  const std::optional<std::uint64_t> size = size_of(theirs, nullptr);
  if (!size) return nullptr;
  std::optional<std::uint64_t> offset;
  std::optional<std::uint64_t> count;
  if (!find_bytes(message, keys.offset, offset)) return nullptr;
  if (!find_bytes(message, keys.count, count)) return nullptr;
  const int more_body = find_flag(message, keys.more_body);
  if (more_body < 0) return nullptr;

  // As os.sendfile(): without an offset the file's own position is used, and moved.
  const std::uint64_t start =
      offset ? *offset : static_cast<std::uint64_t>(lseek(theirs, 0, SEEK_CUR));
  const std::uint64_t left = *size > start ? *size - start : 0;
  const std::uint64_t sent = std::min(count.value_or(left), left);
  // The application may close its descriptor as soon as this returns.
  File file{fcntl(theirs, F_DUPFD_CLOEXEC, 0)};
  if (file.descriptor() < 0) return PyErr_SetFromErrno(PyExc_OSError);
  if (!attached()) return raise_detached();
  if (!offset) lseek(theirs, static_cast<off_t>(start + sent), SEEK_SET);
  return written(exchange_->write_file(file.range(start, sent), final_part(more_body != 0)),
                 more_body != 0, static_cast<std::size_t>(sent));
}

}  // namespace tercel::python::asgi
