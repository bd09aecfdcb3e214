#include "python/api/uploads.h"

#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "python/api/fields.h"

namespace tercel::python::api {
PyObject* Uploads::make(std::uint32_t parameter, Wish wish) noexcept {
  Ref list = Ref::steal(wish.array ? PyList_New(0) : nullptr);
  if (wish.array && !list) return nullptr;
  if (form_ == nullptr) return list.release();
  for (const tercel::api::Upload& file : form_->uploads()) {
    if (file.parameter() != parameter) continue;
    Ref made = make_one(file, wish.as_bytes);
    if (!made || !wish.array) return made.release();
    if (PyList_Append(list.get(), made.get()) < 0) return nullptr;
  }
  return list.release();
}

Ref Uploads::make_one(const tercel::api::Upload& file, bool as_bytes) noexcept {
  return as_bytes ? read(file) : make_upload(file);
}

Ref Uploads::make_upload(const tercel::api::Upload& file) noexcept {
  const Ref name = as_utf8(file.filename());
  const Ref type = file.content_type().empty() ? Ref::share(Py_None) : as_utf8(file.content_type());
  const Ref headers = to_pairs(file.fields(), as_utf8);
  const Ref size = Ref::steal(PyLong_FromUnsignedLongLong(file.size()));
  const Ref content = file.spooled() ? Ref::share(Py_None) : read(file);
  const Ref spool = spool_of(file);
  const Ref offset = Ref::steal(PyLong_FromUnsignedLongLong(file.offset()));
  if (!name || !type || !headers || !size || !content || !spool || !offset) return {};
  PyObject* const args[] = {name.get(),    type.get(),  headers.get(), size.get(),
                            content.get(), spool.get(), offset.get()};
  return Ref::steal(entering_python(
      [&] { return PyObject_Vectorcall(upload_type_, args, std::size(args), nullptr); }));
}

Ref Uploads::spool_of(const tercel::api::Upload& file) noexcept {
  if (!file.spooled()) return Ref::share(Py_None);
  if (spool_) return Ref::share(spool_.get());
  const Result<int> fd = form_->spool().duplicate();
  if (!fd) {
    Gil gil = Gil::assume_held();
    raise(gil, fd.error());
    return {};
  }
  const Ref number = Ref::steal(PyLong_FromLong(*fd));
  if (number) {
    spool_ =
        Ref::steal(entering_python([&] { return PyObject_CallOneArg(spool_type_, number.get()); }));
  }
  if (!spool_) ::close(*fd);
  return Ref::share(spool_.get());
}

Ref Uploads::read(const tercel::api::Upload& file) const noexcept {
  if (!file.spooled()) {
    const std::string_view all = file.memory();
    return Ref::steal(PyBytes_FromStringAndSize(all.data(), static_cast<Py_ssize_t>(all.size())));
  }
  Ref bytes = Ref::steal(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(file.size())));
  if (!bytes) return {};
  const std::size_t size = static_cast<std::size_t>(file.size());
  const auto count = form_->read(file, 0, {PyBytes_AS_STRING(bytes.get()), size});
  if (count && *count == size) return bytes;
  if (count) errno = EIO;
  PyErr_SetFromErrno(PyExc_OSError);
  return {};
}

}  // namespace tercel::python::api
