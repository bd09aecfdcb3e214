#include "python/wsgi/file_wrapper.h"

#include <structmember.h>

#include "python/asgi/types.h"
#include "python/gil.h"
#include "python/ref.h"
#include "python/wsgi/names.h"

namespace tercel::python::wsgi {
namespace {

constexpr Py_ssize_t kBlockBytes = 65536;

struct FileWrapper {
  PyObject_HEAD PyObject* file;  // Owned.
  Py_ssize_t block_bytes;
};

PyTypeObject* type = nullptr;
// Of the module io.
PyObject* file_io = nullptr;
PyObject* buffered_reader = nullptr;
PyObject* buffered_random = nullptr;

FileWrapper& of(PyObject* self) noexcept {
  return *reinterpret_cast<FileWrapper*>(self);
}

PyObject* make(PyTypeObject* of_type, PyObject* arguments, PyObject* keywords) noexcept {
  static const char* const kNames[] = {"filelike", "block_size", nullptr};
  PyObject* file = nullptr;
  Py_ssize_t block_bytes = kBlockBytes;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|n:file_wrapper",
                                   const_cast<char**>(kNames), &file, &block_bytes)) {
    return nullptr;
  }
  if (block_bytes <= 0) {
    PyErr_SetString(PyExc_ValueError, "block_size must be positive");
    return nullptr;
  }
  PyObject* const self = of_type->tp_alloc(of_type, 0);
  if (self == nullptr) return nullptr;
  of(self).file = Py_NewRef(file);
  of(self).block_bytes = block_bytes;
  return self;
}

PyObject* next(PyObject* self) noexcept {
  Ref block = Ref::steal(entering_python(
      [&] { return PyObject_CallMethod(of(self).file, "read", "n", of(self).block_bytes); }));
  if (!block) return nullptr;
  const int more = PyObject_IsTrue(block.get());
  return more > 0 ? block.release() : nullptr;
}

// Closes the file, if it can be closed.
PyObject* close(PyObject* self, PyObject* /*unused*/) noexcept {
  const Ref method = Ref::steal(PyObject_GetAttr(of(self).file, names.close));
  if (method) return entering_python([&] { return PyObject_CallNoArgs(method.get()); });
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return nullptr;
  PyErr_Clear();
  return Py_NewRef(Py_None);
}

int traverse(PyObject* self, visitproc visit, void* arg) noexcept {
  Py_VISIT(of(self).file);
  Py_VISIT(Py_TYPE(self));
  return 0;
}

int clear(PyObject* self) noexcept {
  Py_CLEAR(of(self).file);
  return 0;
}

void dealloc(PyObject* self) noexcept {
  PyTypeObject* const of_type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  static_cast<void>(clear(self));
  of_type->tp_free(self);
  Py_DECREF(of_type);
}

PyMethodDef methods[] = {
    {"close", &close, METH_NOARGS, PyDoc_STR("close($self, /)\n--\n\nCloses the file.")},
    {nullptr, nullptr, 0, nullptr}};
PyMemberDef members[] = {{"filelike", T_OBJECT_EX, offsetof(FileWrapper, file), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};

}  // namespace

PyObject* file_wrapper_type() noexcept {
  return reinterpret_cast<PyObject*>(type);
}

bool init_file_wrapper() noexcept {
  if (type != nullptr) return true;
  const Ref io = Ref::steal(PyImport_ImportModule("io"));
  if (!io) return false;
  file_io = PyObject_GetAttrString(io.get(), "FileIO");
  buffered_reader = PyObject_GetAttrString(io.get(), "BufferedReader");
  buffered_random = PyObject_GetAttrString(io.get(), "BufferedRandom");
  if (file_io == nullptr || buffered_reader == nullptr || buffered_random == nullptr) return false;
  PyType_Slot slots[] = {{Py_tp_new, asgi::slot(&make)},
                         {Py_tp_iter, asgi::slot(&PyObject_SelfIter)},
                         {Py_tp_iternext, asgi::slot(&next)},
                         {Py_tp_methods, methods},
                         {Py_tp_members, members},
                         {Py_tp_traverse, asgi::slot(&traverse)},
                         {Py_tp_clear, asgi::slot(&clear)},
                         {Py_tp_dealloc, asgi::slot(&dealloc)},
                         {Py_tp_doc, const_cast<char*>("A file as the body of a response.")},
                         {0, nullptr}};
  PyType_Spec spec{.name = "tercel._core.FileWrapper",
                   .basicsize = static_cast<int>(sizeof(FileWrapper)),
                   .itemsize = 0,
                   .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                   .slots = slots};
  type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  return type != nullptr;
}

bool is_file_wrapper(PyObject* object) noexcept {
  return Py_TYPE(object) == type;
}

bool is_plain_file(PyObject* file) noexcept {
  const auto is = [](PyObject* object, PyObject* wanted) {
    return reinterpret_cast<PyObject*>(Py_TYPE(object)) == wanted;
  };
  if (is(file, file_io)) return true;
  if (!is(file, buffered_reader) && !is(file, buffered_random)) return false;
  const Ref raw = Ref::steal(PyObject_GetAttr(file, names.raw));
  if (raw) return is(raw.get(), file_io);
  PyErr_Clear();
  return false;
}

PyObject* wrapped_file(PyObject* wrapper) noexcept {
  return of(wrapper).file;
}

}  // namespace tercel::python::wsgi
