// Questions as tuples of Python, and tuples as answers: the one place that knows their order.
//
// The other side is src/tercel/s3/answers.py. Thread: one that holds the interpreter lock. Tested
// by test_s3_policy.py.
#pragma once

#include <nanobind/nanobind.h>

#include "tercel/base/shared_const.h"
#include "tercel/gateway/question.h"

namespace tercel::python::s3 {

// A backend in the hands of Python, which answers with it.
struct NativeBackend {
  SharedConst<gateway::Backend> backend;
};
// Registers it.
void bind_answers(nanobind::module_& module);

// Of a decision: its keys (gateway/decision_key.h), by scope; of another question: none.
[[nodiscard]] nanobind::list decision_keys(const gateway::Question& question);

[[nodiscard]] nanobind::tuple to_tuple(const gateway::Question& question);
// Throws TypeError or ValueError when the tuple is no answer.
[[nodiscard]] gateway::Answer to_answer(const nanobind::tuple& answer);

}  // namespace tercel::python::s3
