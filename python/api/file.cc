#include "python/api/file.h"

#include <fcntl.h>

#include <cerrno>
#include <string_view>

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "python/errors.h"
#include "python/ref.h"
#include "tercel/edge/file_type.h"
#include "tercel/http/disposition.h"
#include "tercel/net/syscalls.h"

namespace nb = nanobind;

namespace tercel::python::api {
namespace {

// As os.fspath() and the encoding of file names have it.
std::string encoded(const nb::object& path) {
  PyObject* bytes = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &bytes) == 0) throw_python_error();
  const Ref owner = Ref::steal(bytes);
  return {PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))};
}

// A regular file that is open, or an errno.
struct Opened {
  std::optional<edge::OpenFile> file;
  int error = 0;
};

Opened judge(Result<edge::OpenFile> found, int not_found) {
  if (!found) return {.file = {}, .error = found.error() == Errc::kNotFound ? not_found : EIO};
  if (found->is_folder()) return {.file = {}, .error = EISDIR};
  return {.file = *std::move(found)};
}

Opened open_anywhere(const char* path) noexcept {
  net::Syscalls& calls = net::system_calls();
  // O_NONBLOCK: a FIFO would wait for its writer. It does nothing to a regular file.
  const int opened = calls.openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (opened < 0) return {.file = {}, .error = -opened};
  // It is there, so what is not found is a regular file.
  return judge(edge::OpenFile::adopt(calls, opened), EINVAL);
}

Opened open_beneath(const char* folder, const char* path) noexcept {
  net::Syscalls& calls = net::system_calls();
  const int around = calls.openat(AT_FDCWD, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (around < 0) return {.file = {}, .error = -around};
  Opened found = judge(edge::OpenFile::open_beneath(calls, around, path), ENOENT);
  calls.close(around);
  return found;
}

[[noreturn]] void throw_os_error(int error, const nb::object& path) {
  errno = error;
  PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path.ptr());
  throw_python_error();
}

}  // namespace

File::File(const nb::object& path, const nb::object& folder) {
  const bool anywhere = folder.is_none();
  // Of a name that came from a client.
  if (!anywhere && nb::isinstance<nb::str>(path) &&
      nb::cast<bool>(path.attr("__contains__")(nb::str("\0", 1)))) {
    throw_os_error(ENOENT, path);
  }
  const std::string name = encoded(path);
  const std::string around = anywhere ? std::string{} : encoded(folder);
  Opened opened;
  {
    const nb::gil_scoped_release released;
    opened = anywhere ? open_anywhere(name.c_str()) : open_beneath(around.c_str(), name.c_str());
  }
  if (!opened.file) throw_os_error(opened.error, path);
  file_ = std::move(opened.file);
}

Result<edge::OpenFile> File::duplicate() const noexcept {
  net::Syscalls& calls = net::system_calls();
  const int copy = calls.duplicate(file_->descriptor());
  if (copy < 0) return fail(net::error_of_call(copy));
  return edge::OpenFile::adopt(calls, copy);
}

Result<edge::OpenFile> duplicate(PyObject* file) noexcept {
  const File* found = nullptr;
  if (!nb::try_cast(nb::handle{file}, found) || found == nullptr) return fail(Errc::kSystem);
  return found->duplicate();
}

void bind_files(nb::module_& module) {
  nb::class_<File>(module, "File")
      .def(nb::init<const nb::object&, const nb::object&>(), nb::arg("path"),
           nb::arg("folder").none() = nb::none(),
           "Opens a regular file, in a folder unless that is None. Raises OSError.");
  nb::class_<FilePart>(module, "FilePart")
      .def("fileno", &FilePart::descriptor, "The descriptor, which is open as long as this is.")
      .def_prop_ro("offset", &FilePart::offset)
      .def_prop_ro("count", &FilePart::count);
  module.def(
      "media_type",
      [](const nb::bytes& name) {
        return edge::file_type({name.c_str(), name.size()}).media_type;
      },
      nb::arg("name"), "The Content-Type of a file, by the end of its name.");
  module.def("attachment", &http::attachment, nb::arg("filename"),
             "The Content-Disposition of a file that is to be saved under a name.");
}

}  // namespace tercel::python::api
