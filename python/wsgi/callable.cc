#include "python/wsgi/callable.h"

#include "python/asgi/types.h"
#include "python/wsgi/visit.h"

namespace tercel::python::wsgi {
namespace {

PyTypeObject* start_response_type = nullptr;

StartResponse& of(PyObject* self) noexcept {
  return *reinterpret_cast<StartResponse*>(self);
}

PyObject* write(PyObject* self, PyObject* bytes) noexcept {
  Visit* const visit = require_visit(of(self).visit);
  if (visit == nullptr || !visit->write(bytes)) return nullptr;
  return Py_NewRef(Py_None);
}

PyObject* early_hints(PyObject* self, PyObject* headers) noexcept {
  Visit* const visit = require_visit(of(self).visit);
  if (visit == nullptr || !visit->send_early_hints(headers)) return nullptr;
  return Py_NewRef(Py_None);
}

PyMethodDef early_hints_method{
    "early_hints", &early_hints, METH_O,
    PyDoc_STR("Sends 103 Early Hints with headers, a list of (name, value) tuples: links to what "
              "the client will need. Nothing for HTTP/1.0.")};
PyMethodDef write_method{"write", &write, METH_O,
                         PyDoc_STR("Sends a part of the response body: bytes. Waits until the "
                                   "client has taken enough of what was sent before.")};

PyObject* call(PyObject* self, PyObject* arguments, PyObject* keywords) noexcept {
  static const char* const kNames[] = {"status", "headers", "exc_info", nullptr};
  PyObject* status = nullptr;
  PyObject* headers = nullptr;
  PyObject* exc_info = Py_None;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|O:start_response",
                                   const_cast<char**>(kNames), &status, &headers, &exc_info)) {
    return nullptr;
  }
  Visit* const visit = require_visit(of(self).visit);
  if (visit == nullptr || !visit->start_response(status, headers, exc_info)) return nullptr;
  return PyCFunction_New(&write_method, self);
}

void dealloc(PyObject* self) noexcept {
  PyTypeObject* const type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

}  // namespace

Visit* require_visit(Visit* visit) noexcept {
  if (visit == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "the request that this belongs to is over");
  } else if (visit->waiting()) {
    PyErr_SetString(PyExc_RuntimeError, "another thread waits for the client of this request");
    return nullptr;
  }
  return visit;
}

bool init_callable() noexcept {
  if (start_response_type != nullptr) return true;
  PyType_Slot slots[] = {{Py_tp_call, asgi::slot(&call)},
                         {Py_tp_dealloc, asgi::slot(&dealloc)},
                         {Py_tp_doc, const_cast<char*>("Begins the response of a WSGI request.")},
                         {0, nullptr}};
  start_response_type = asgi::make_type("tercel._core.StartResponse", sizeof(StartResponse), slots);
  return start_response_type != nullptr;
}

Ref make_early_hints(PyObject* start_response) noexcept {
  return Ref::steal(PyCFunction_New(&early_hints_method, start_response));
}

StartResponse* make_start_response(Visit& visit) noexcept {
  StartResponse* const object = PyObject_New(StartResponse, start_response_type);
  if (object != nullptr) object->visit = &visit;
  return object;
}

}  // namespace tercel::python::wsgi
