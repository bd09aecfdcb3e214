// Files of a multipart form as Python objects: tercel.UploadFile, or bytes.
//
//   Uploads uploads{call.form, around.upload_type, around.spool_type};
//   PyObject* photo = uploads.make(parameter, {.array = false, .as_bytes = false});
//
// An UploadFile that was spooled shares the spool's descriptor with the others of its form: it is
// closed when the last of them goes. Thread: one that holds the interpreter lock. Tested by
// test_api_forms.py.
#pragma once

#include <Python.h>

#include <cstdint>

#include "python/ref.h"
#include "tercel/api/form.h"

namespace tercel::python::api {

class Uploads {
 public:
  struct Wish {
    bool array;     // A list of all; else the one that there is.
    bool as_bytes;  // bytes in place of an UploadFile.
  };

  // Borrowed. `form` may be null: there are no files. `upload_type` is called with file name,
  // content type (or None), header fields, size, content (or None), spool (or None) and offset in
  // it; `spool_type` with a descriptor, which it owns from then on.
  Uploads(tercel::api::Form* form, PyObject* upload_type, PyObject* spool_type) noexcept
      : form_{form}, upload_type_{upload_type}, spool_type_{spool_type} {}
  Uploads(const Uploads&) = delete;
  Uploads& operator=(const Uploads&) = delete;

  // What there is for a parameter. New reference; null with an exception set.
  // REQUIRES: there is a file for it, unless it is a list.
  [[nodiscard]] PyObject* make(std::uint32_t parameter, Wish wish) noexcept;

 private:
  [[nodiscard]] Ref make_one(const tercel::api::Upload& file, bool as_bytes) noexcept;
  [[nodiscard]] Ref make_upload(const tercel::api::Upload& file) noexcept;
  // None for what is in memory.
  [[nodiscard]] Ref spool_of(const tercel::api::Upload& file) noexcept;
  [[nodiscard]] Ref read(const tercel::api::Upload& file) const noexcept;

  tercel::api::Form* form_;
  PyObject* upload_type_;
  PyObject* spool_type_;
  Ref spool_;  // Once it was asked for.
};

}  // namespace tercel::python::api
