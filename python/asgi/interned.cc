#include "python/asgi/interned.h"

namespace tercel::python::asgi {

constinit Keys keys;

bool intern_keys() noexcept {
#define TERCEL_ASGI_INTERN(name) \
  if (!(keys.name = PyUnicode_InternFromString(#name))) return false;
  TERCEL_ASGI_KEYS(TERCEL_ASGI_INTERN)
#undef TERCEL_ASGI_INTERN
  keys.throw_ = PyUnicode_InternFromString("throw");
  keys.empty_text = PyUnicode_InternFromString("");
  keys.empty_bytes = PyBytes_FromStringAndSize(nullptr, 0);
  keys.empty_tuple = PyTuple_New(0);
  return keys.throw_ && keys.empty_text && keys.empty_bytes && keys.empty_tuple;
}

}  // namespace tercel::python::asgi
