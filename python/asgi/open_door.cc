#include "python/asgi/open_door.h"

#include "python/ref.h"
#include "tercel/base/log.h"

namespace tercel::python::asgi {
namespace {

class ToDoor final : public LogSink {
 public:
  void log(LogLevel level, std::string_view text) noexcept override { door->log(level, text); }
  const Door* door = nullptr;
};
constinit ToDoor to_door;

}  // namespace

const Door* open_door() noexcept {
  const Ref core = Ref::steal(PyImport_ImportModule("tercel._core"));
  const Ref capsule = Ref::steal(core ? PyObject_GetAttrString(core.get(), "_door") : nullptr);
  if (!capsule) return nullptr;
  const void* const door = PyCapsule_GetPointer(capsule.get(), Door::kCapsule);
  if (door == nullptr) return nullptr;
  to_door.door = static_cast<const Door*>(door);
  set_log_sink(&to_door);
  return to_door.door;
}

}  // namespace tercel::python::asgi
