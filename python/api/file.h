// The file of a tercel.FileResponse, open from the time that is made.
//
//   file = _api.File("report.pdf")   # FileNotFoundError, PermissionError, IsADirectoryError ...
//
// What is removed or replaced afterwards is sent as it was opened. Tested by test_api_files.py.
#pragma once

#include <Python.h>

#include <optional>
#include <string>

#include <nanobind/nanobind.h>

#include "tercel/base/result.h"
#include "tercel/edge/open_file.h"
#include "tercel/http/handler.h"

namespace tercel::python::api {

// Resource: closed with the last reference.
class File {
 public:
  // Opens a regular file without the interpreter's lock; below `folder`, unless that is None, and
  // nowhere else, whatever `path` says. Throws OSError, FileNotFoundError where it would leave it.
  File(const nanobind::object& path, const nanobind::object& folder);
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Another descriptor of it, and its size and dates as they are now. Fails with kTooManyFiles,
  // kNoMemory or kSystem.
  [[nodiscard]] Result<edge::OpenFile> duplicate() const noexcept;

 private:
  std::optional<edge::OpenFile> file_;
};

// File::duplicate() of an object. Fails with kSystem, too, when it is none.
[[nodiscard]] Result<edge::OpenFile> duplicate(PyObject* file) noexcept;

// Part of an answer that is sent without a server: bytes of a file, which is open as long as this
// is. Moved, not copied.
class FilePart {
 public:
  explicit FilePart(const http::FileRange& range) noexcept : range_{range} {}
  FilePart(FilePart&& other) noexcept
      : range_{std::exchange(other.range_, {.file = -1, .offset = 0, .count = 0})} {}
  FilePart(const FilePart&) = delete;
  FilePart& operator=(const FilePart&) = delete;
  ~FilePart() {
    if (range_.release != nullptr) range_.release(range_.owner);
  }

  [[nodiscard]] int descriptor() const noexcept { return range_.file; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return range_.offset; }
  [[nodiscard]] std::uint64_t count() const noexcept { return range_.count; }

 private:
  http::FileRange range_;
};

// Adds File, FilePart, media_type() and attachment().
void bind_files(nanobind::module_& module);

}  // namespace tercel::python::api
