// The module tercel._core: one bind function a file, each declared here and defined beside what it
// binds. Private: its names change without notice, the public ones are those of src/tercel.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace tercel::python {

void bind_engine(nb::module_& module);
void bind_errors(nb::module_& module);
void bind_log_bridge(nb::module_& module);
void bind_loop_core(nb::module_& module);
void bind_process(nb::module_& module);
void bind_request_log(nb::module_& module);
void bind_server(nb::module_& module);
void bind_settings(nb::module_& module);
void bind_shared(nb::module_& module);

}  // namespace tercel::python

NB_MODULE(_core, module) {
  using namespace tercel::python;
#ifdef NDEBUG
  // What a thread that outlives the interpreter still holds is no leak that a user could mend.
  nb::set_leak_warnings(false);
#endif
  module.attr("__version__") = TERCEL_VERSION;
  bind_errors(module);
  bind_engine(module);
  bind_log_bridge(module);
  bind_loop_core(module);
  bind_process(module);
  bind_request_log(module);
  bind_settings(module);
  bind_shared(module);
  bind_server(module);
}
