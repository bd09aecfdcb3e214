// What a process that does nothing but serve may do to itself.
#include <malloc.h>

#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace tercel::python {
namespace {

// Returns free memory of the C allocator to the system. Only glibc keeps so much that it matters.
bool trim_memory() noexcept {
#ifdef __GLIBC__
  return malloc_trim(0) == 1;
#else
  return false;
#endif
}

}  // namespace

void bind_process(nb::module_& module);

void bind_process(nb::module_& module) {
  module.def("trim_memory", &trim_memory,
             "Returns free memory of the C allocator to the system, and whether there was any.");
}

}  // namespace tercel::python
