// How a module beside tercel._core gets its table (door.h).
//
//   door = asgi::open_door();   // When the module is initialised, once.
//
// From then on, what the engine says in this module goes where it goes in tercel._core. Thread: one
// that holds the interpreter lock.
#pragma once

#include "python/asgi/door.h"

namespace tercel::python::asgi {

// Never goes away. Null with a Python exception set.
[[nodiscard]] const Door* open_door() noexcept;

}  // namespace tercel::python::asgi
