#include "python/asgi/bind.h"

#include "python/asgi/awaitable.h"
#include "python/asgi/cycle.h"
#include "python/asgi/dispatch.h"
#include "python/asgi/door.h"
#include "python/asgi/errors.h"
#include "python/asgi/failure.h"
#include "python/asgi/interned.h"
#include "python/asgi/lazy_task.h"
#include "python/asgi/messages.h"
#include "python/asgi/runner.h"
#include "python/asgi/websocket_cycle.h"
#include "python/asgi/websocket_messages.h"
#include "python/errors.h"

namespace nb = nanobind;

namespace tercel::python::asgi {

void bind_asgi(nb::module_& module) {
  const bool prepared = intern_keys() && init_messages() && init_errors() && init_awaitables() &&
                        init_receive_type() && init_cycle() && init_websocket_messages() &&
                        init_websocket_cycle() && init_runner() && init_failure() &&
                        init_lazy_tasks() && init_dispatch();
  if (!prepared) throw_python_error();
  PyObject* const door = make_door();
  if (door == nullptr) throw_python_error();
  module.attr("_door") = nb::steal(door);
  module.attr("ClientDisconnected") = nb::borrow(client_disconnected());
  module.attr("lazy_tasks_supported") = lazy_tasks_supported();
}

}  // namespace tercel::python::asgi
