// What a process that does nothing but serve may do to itself.
#include <malloc.h>
#include <sys/resource.h>

#include <cerrno>

#include <nanobind/nanobind.h>

#include "tercel/server/processors.h"

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

// Raises the limit of open descriptors, one a connection, as far as the system permits.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  }
  PyErr_SetFromErrno(PyExc_OSError);
  throw nb::python_error();
}

}  // namespace

void bind_process(nb::module_& module);

void bind_process(nb::module_& module) {
  module.def("trim_memory", &trim_memory,
             "Returns free memory of the C allocator to the system, and whether there was any.");
  module.def("raise_descriptor_limit", &raise_descriptor_limit,
             "Lets the process open as many descriptors as its hard limit permits: one a "
             "connection. Raises OSError.");
  module.def(
      "processors", [] { return server::available_processors(); },
      "How many this process may use: by its affinity, and by what its control group grants it.");
}

}  // namespace tercel::python
