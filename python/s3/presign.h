// tercel._s3.presign(): links to objects. Tested by test_s3_presign.py.
#pragma once

#include <nanobind/nanobind.h>

namespace tercel::python::s3 {

void bind_presign(nanobind::module_& module);

}  // namespace tercel::python::s3
