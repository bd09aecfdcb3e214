// The heap of asyncio's timers: `loop._scheduled`, a list ordered as heapq orders it.
//
// asyncio orders it with heapq, which calls TimerHandle.__lt__, a Python function, for every
// comparison: 70 ns each, twenty of them to take one of a thousand timers out. These do the same
// moves, on times compared as doubles; the heap stays one that heapq and asyncio may use in turn,
// with the same order of timers that are due at the same time. Where a timer is of another type or
// its time is no float, they call heapq. Source: CPython, Modules/_heapqmodule.c.
// Tested by test_event_loop.py.
#pragma once

#include <Python.h>

#include "python/gil.h"

namespace tercel::python {

// heapq.heappush(heap, timer). Returns false with an exception set. REQUIRES: `heap` is a list.
[[nodiscard]] bool push_timer(Gil& gil, PyObject* heap, PyObject* timer) noexcept;

// heapq.heappop(heap): the caller owns the result; nullptr with an exception set. REQUIRES: `heap`
// is a list and not empty.
[[nodiscard]] PyObject* pop_timer(Gil& gil, PyObject* heap) noexcept;

}  // namespace tercel::python
