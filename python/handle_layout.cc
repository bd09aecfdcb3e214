#include "python/handle_layout.h"

#include <structmember.h>

#include <algorithm>
#include <initializer_list>

#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace tercel::python {
namespace {

// The versions whose asyncio was read and whose test suite passes.
constexpr int kFirstKnown = 0x030B0000;
constexpr int kFirstUnknown = 0x030F0000;

// Offset of the slot `name` of `type`, or -1.
Py_ssize_t slot_offset(PyTypeObject* type, const char* name) noexcept {
  const nb::object member = nb::getattr(nb::handle(reinterpret_cast<PyObject*>(type)), name, {});
  if (!member.is_valid() || Py_TYPE(member.ptr()) != &PyMemberDescr_Type) return -1;
  const auto* definition = reinterpret_cast<PyMemberDescrObject*>(member.ptr())->d_member;
  if (definition->type != T_OBJECT_EX || definition->flags != 0) return -1;
  return definition->offset;
}

bool has_slots(nb::handle type, std::initializer_list<const char*> expected) noexcept {
  const nb::object slots = nb::getattr(type, "__slots__", {});
  if (!slots.is_valid() || (!PyTuple_CheckExact(slots.ptr()) && !PyList_CheckExact(slots.ptr())) ||
      PySequence_Fast_GET_SIZE(slots.ptr()) != static_cast<Py_ssize_t>(expected.size())) {
    return false;
  }
  Py_ssize_t index = 0;
  return std::all_of(expected.begin(), expected.end(), [&](const char* name) {
    PyObject* slot = PySequence_Fast_GET_ITEM(slots.ptr(), index++);
    return PyUnicode_Check(slot) && PyUnicode_CompareWithASCIIString(slot, name) == 0;
  });
}

// True for a plain class whose only base is `base`: no metaclass, no extra storage.
bool is_plain_class(nb::handle type, PyTypeObject* base) noexcept {
  const auto* object = reinterpret_cast<PyTypeObject*>(type.ptr());
  return Py_TYPE(type.ptr()) == &PyType_Type && object->tp_base == base &&
         PyTuple_GET_SIZE(object->tp_bases) == 1 && object->tp_itemsize == 0;
}

std::optional<HandleLayout> find_layout(nb::handle events) noexcept {
  nb::object handle = nb::getattr(events, "Handle", {});
  nb::object timer = nb::getattr(events, "TimerHandle", {});
  if (!handle.is_valid() || !timer.is_valid() || !PyType_Check(handle.ptr()) ||
      !PyType_Check(timer.ptr())) {
    return std::nullopt;
  }
  auto* handle_type = reinterpret_cast<PyTypeObject*>(handle.ptr());
  auto* timer_type = reinterpret_cast<PyTypeObject*>(timer.ptr());
  if (!is_plain_class(handle, &PyBaseObject_Type) || !is_plain_class(timer, handle_type) ||
      !has_slots(handle, {"_callback", "_args", "_cancelled", "_loop", "_source_traceback", "_repr",
                          "__weakref__", "_context"}) ||
      !has_slots(timer, {"_scheduled", "_when"})) {
    return std::nullopt;
  }
  nb::object run = nb::getattr(handle, "_run", {});
  if (!run.is_valid()) return std::nullopt;
  nb::object threadsafe = nb::getattr(events, "_ThreadSafeHandle", {});
  const HandleLayout layout{.handle = handle_type,
                            .timer_handle = timer_type,
                            .run = run.ptr(),
                            .threadsafe_handle = threadsafe.ptr(),
                            .callback = slot_offset(handle_type, "_callback"),
                            .args = slot_offset(handle_type, "_args"),
                            .cancelled = slot_offset(handle_type, "_cancelled"),
                            .loop = slot_offset(handle_type, "_loop"),
                            .source_traceback = slot_offset(handle_type, "_source_traceback"),
                            .repr = slot_offset(handle_type, "_repr"),
                            .context = slot_offset(handle_type, "_context"),
                            .when = slot_offset(timer_type, "_when"),
                            .scheduled = slot_offset(timer_type, "_scheduled")};
  for (const Py_ssize_t offset :
       {layout.callback, layout.args, layout.cancelled, layout.loop, layout.source_traceback,
        layout.repr, layout.context, layout.when, layout.scheduled}) {
    if (offset < 0) return std::nullopt;
  }
  handle.release();
  timer.release();
  run.release();
  threadsafe.release();
  return layout;
}

}  // namespace

std::optional<HandleLayout> HandleLayout::find(Gil& /*gil*/) noexcept {
#ifdef Py_GIL_DISABLED
  return std::nullopt;  // The fields would need their objects' locks.
#else
  if (Py_Version < kFirstKnown || Py_Version >= kFirstUnknown) return std::nullopt;
  const nb::object events = nb::steal(PyImport_ImportModule("asyncio.events"));
  if (events.is_valid()) return find_layout(events);
  PyErr_Clear();
  return std::nullopt;
#endif
}

}  // namespace tercel::python
