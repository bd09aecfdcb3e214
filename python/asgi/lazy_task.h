// A current task for the first step of an application, which becomes real when anybody looks.
//
// asyncio.timeout(), anyio and sniffio need asyncio.current_task(). A Task costs more than the rest
// of a small request, and most applications never look at theirs. So the first step runs with a
// shell as its current task: an object laid out as asyncio.Task, of a type derived from it, which
// is used again and again. The first time that anything of it is touched (an attribute, its repr,
// awaiting it), or when the application suspends, the shell becomes a true Task: its type is
// changed to asyncio.Task and Task.__init__ runs on it. Its identity stays, so whoever holds it
// holds the Task. Touching costs what creating a Task costs, once.
//
// What does not count as touching: identity, hash, equality, isinstance(), a weak reference.
//
// Between requests, and until it is touched, the shell is a valid Task all the same, of a parked
// coroutine and a loop that runs nothing. So C methods which are reached without an attribute of
// the shell (`asyncio.Task.cancel(task)`, `super().cancel()`) find nothing that is null, and what
// they leave behind (a wish to cancel, callbacks) goes over to the true Task. And
// asyncio.all_tasks(), which asks each task for its loop, leaves out an idle shell and touches one
// in use.
//
// Offered for the CPython versions whose Task is known to allow this: see lazy_tasks_supported().
// Tested by test_asgi_lazy_task.py, which compares it with a real one on every application of the
// tests, and by test_asgi_dispatch.py, which looks at it in every way.
#pragma once

#include <Python.h>

#include <cstdint>

#include "python/asgi/runner.h"
#include "python/ref.h"

namespace tercel::python::asgi {

// Prepares the types. False with a Python exception set; a Python that is not known is no failure.
[[nodiscard]] bool init_lazy_tasks() noexcept;

// Whether LazyTasks may be used in this process.
[[nodiscard]] bool lazy_tasks_supported() noexcept;

// asyncio.Task. Borrowed.
[[nodiscard]] PyTypeObject* task_type() noexcept;

// When a new Task takes its first step.
enum class TaskStart : std::uint8_t {
  kScheduled,  // In a turn of the loop to come, as asyncio has it.
  kHeld,       // When it is run by run_step(), if the loop is ours; else as kScheduled.
  kAtOnce      // Before become_task() returns, if the loop is ours or Python is 3.12 or later.
};

// The first step of an application, while it runs.
struct FirstStep {
  PyObject* loop;  // Borrowed, as all of these.
  PyObject* context;
  SendCallable* send;
  PyObject* shell;
  PyObject* coroutine = nullptr;  // The application's, once it was called.
  Ref runner{};                   // The Runner of the Task, if the shell had to become one.
  Ref held{};                     // The Task's own first step, if it is held back.
  FirstStep* outer = nullptr;     // Of another loop's thread.
};

// The shells of one loop.
class LazyTasks {
 public:
  LazyTasks() noexcept = default;
  LazyTasks(const LazyTasks&) = delete;
  LazyTasks& operator=(const LazyTasks&) = delete;
  ~LazyTasks();

  // A shell for a first step, or null with a Python exception set.
  [[nodiscard]] Ref take() noexcept;
  // Takes a shell back whose application has ended. False when it has to become the Task of that
  // first, because somebody will look: a reference to it was kept, or a C method left something in
  // it. REQUIRES: is_shell().
  [[nodiscard]] bool put_back(Ref& shell) noexcept;

 private:
  PyObject* spare_ = nullptr;  // Owned.
  unsigned seen_touches_ = 0;
};

// Makes `step.shell` the current task of the loop; from here to finish_first_step() touching it
// makes it the Task of this step. False, with an exception set or not, when another task is
// current.
[[nodiscard]] bool begin_first_step(FirstStep& step) noexcept;
// REQUIRES: no exception is set.
void finish_first_step(FirstStep& step) noexcept;

// Whether `shell` is not a Task yet.
[[nodiscard]] bool is_shell(PyObject* shell) noexcept;

// Makes `shell` the Task that runs `runner`. False with a Python exception set. With
// TaskStart::kHeld, `held` takes the Task's first step, or stays null when asyncio will run it.
[[nodiscard]] bool become_task(PyObject* shell, Runner& runner, PyObject* loop, PyObject* context,
                               TaskStart start, Ref* held = nullptr) noexcept;

// Runs a step that was held back, as the loop would. False with the exception set that asyncio lets
// out of a Task: one that ends the program.
[[nodiscard]] bool run_step(const Ref& step, PyObject* context) noexcept;

}  // namespace tercel::python::asgi
