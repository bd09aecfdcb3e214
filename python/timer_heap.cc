#include "python/timer_heap.h"

#include <array>
#include <optional>

#include <nanobind/nanobind.h>

#include "python/gil.h"
#include "python/loop_core.h"

namespace nb = nanobind;

namespace tercel::python {
namespace {

// More levels than a list can have.
constexpr std::size_t kLevelsMax = 64;

struct Path {
  std::array<Py_ssize_t, kLevelsMax> index;
  std::size_t length = 0;
};

// When `timer` is due; nothing when only its own comparison can tell.
std::optional<double> due(PyObject* timer) noexcept {
  const HandleLayout& layout = loop_objects().layout;
  if (Py_TYPE(timer) != layout.timer_handle) return std::nullopt;
  PyObject* when = HandleLayout::field(timer, layout.when);
  if (when == nullptr || !PyFloat_CheckExact(when)) return std::nullopt;
  return PyFloat_AS_DOUBLE(when);
}

// From the root down, always to the earlier child: where a hole at the root would sink to. Nothing
// when a comparison is unknown. `size` is that of the heap without its last item.
std::optional<Path> sink(PyObject* heap, Py_ssize_t size) noexcept {
  Path path;
  path.index[path.length++] = 0;
  for (Py_ssize_t child = 1; child < size; child = 2 * child + 1) {
    const auto left = due(PyList_GET_ITEM(heap, child));
    if (!left) return std::nullopt;
    if (child + 1 < size) {
      const auto right = due(PyList_GET_ITEM(heap, child + 1));
      if (!right) return std::nullopt;
      if (!(*left < *right)) ++child;
    }
    path.index[path.length++] = child;
  }
  return path;
}

// heapq.heappush or heapq.heappop, which compare timers in Python.
nb::object call(PyObject* function, PyObject* heap, PyObject* timer) noexcept {
  PyObject* args[] = {heap, timer};
  return nb::steal(entering_python(
      [&] { return PyObject_Vectorcall(function, args, timer != nullptr ? 2 : 1, nullptr); }));
}

}  // namespace

bool push_timer(Gil& /*gil*/, PyObject* heap, PyObject* timer) noexcept {
  // First the way up, then the moves: an unknown comparison leaves the heap as it was.
  Path path;
  Py_ssize_t place = PyList_GET_SIZE(heap);
  path.index[path.length++] = place;
  const auto mine = due(timer);
  while (place > 0) {
    const Py_ssize_t parent = (place - 1) / 2;
    const auto theirs = due(PyList_GET_ITEM(heap, parent));
    if (!mine || !theirs) return call(loop_objects().heappush, heap, timer).is_valid();
    if (!(*mine < *theirs)) break;
    place = parent;
    path.index[path.length++] = place;
  }
  if (PyList_Append(heap, timer) < 0) return false;
  for (std::size_t i = 1; i < path.length; ++i) {
    PyList_SET_ITEM(heap, path.index[i - 1], PyList_GET_ITEM(heap, path.index[i]));
  }
  PyList_SET_ITEM(heap, place, timer);
  return true;
}

PyObject* pop_timer(Gil& /*gil*/, PyObject* heap) noexcept {
  const Py_ssize_t size = PyList_GET_SIZE(heap) - 1;
  PyObject* last = PyList_GET_ITEM(heap, size);
  const auto path = sink(heap, size);
  const auto mine = due(last);
  if (!path || !mine) return call(loop_objects().heappop, heap, nullptr).release().ptr();
  // The last item goes into the hole, and up from there to its place.
  std::size_t place = path->length - 1;
  while (place > 0 && *mine < *due(PyList_GET_ITEM(heap, path->index[place]))) --place;
  PyObject* first = PyList_GET_ITEM(heap, 0);
  for (std::size_t i = 0; i < place; ++i) {
    PyList_SET_ITEM(heap, path->index[i], PyList_GET_ITEM(heap, path->index[i + 1]));
  }
  PyList_SET_ITEM(heap, path->index[place], last);
  PyList_SET_ITEM(heap, size, first);
  Py_INCREF(first);
  if (PyList_SetSlice(heap, size, size + 1, nullptr) == 0) return first;
  Py_DECREF(first);
  return nullptr;
}

}  // namespace tercel::python
