// What this module does for others that answer requests by themselves: tercel._api, tercel._s3 and
// tercel._proxy.
//
// The other module is compiled against the same headers and linked with nothing of this one: it
// gets this table from the capsule `tercel._core._door`, and gives a Front to every server of its
// applications, in a capsule that is the attribute `__tercel_front__` of their class. A front is an
// http::Handler around the ASGI handler of the same application. It takes the requests that it can
// answer, and leaves the others to the inner one: to wrap is what handlers are made for. It stands
// on the loop of the application, or on those of the connections; some can stand below a prefix in
// another application, too. Tested by test_api_app.py, test_s3_gateway.py and test_proxy.py.
#pragma once

#include <Python.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "tercel/base/log.h"
#include "tercel/edge/line_gate.h"
#include "tercel/edge/metrics_text.h"
#include "tercel/http/handler.h"
#include "tercel/net/loop.h"

namespace tercel::python::asgi {

class AsgiHandler;
struct Front;

struct Door {
  // Answers, whole; or fails as http::Exchange::start(), with nothing sent.
  using Write = Result<void> (*)(void* self, http::Exchange& exchange) noexcept;

  static constexpr const char* kCapsule = "tercel._core._door";
  // The handler itself, for the requests that the other module leaves to it.
  http::Handler* (*handler)(AsgiHandler& handler) noexcept;
  // AsgiHandler::run(): calls `callable(None, None, send)`, which returns an awaitable, in the
  // context and with the current task of a request.
  void (*run)(AsgiHandler& handler, PyObject* callable, const http::Request& request,
              http::Exchange& exchange) noexcept;
  // `receive` to such a `send`. New reference; null with MemoryError set.
  PyObject* (*receive)(PyObject* send) noexcept;
  // Cycle::answer(), for what such a callable was given as `send`.
  bool (*answer)(PyObject* send, const http::Response& response, http::Payload payload) noexcept;
  // Cycle::answer_through(), likewise.
  bool (*answer_through)(PyObject* send, Write write, void* self) noexcept;
  // The context that requests inherit from. Borrowed.
  PyObject* (*context)(AsgiHandler& handler) noexcept;
  // Logs what raised, as what an application raises; a child of fork() ends here.
  void (*log_raised)(PyObject* raised) noexcept;
  // front_of() an object.
  const Front* (*front)(PyObject* app) noexcept;
  // The loop that the application of a handler is called on; outlives the handler.
  net::Loop& (*loop)(AsgiHandler& handler) noexcept;
  // base/log.h of this module, whose sink is the logger of the process. Thread: any.
  void (*log)(LogLevel level, std::string_view text) noexcept;
};

// What the processes of one server share, as far as a front has a use for it. Outlives the server.
class Commons {
 public:
  // Keeps the lines of all of them apart that write to `path`.
  [[nodiscard]] virtual std::shared_ptr<edge::LineGate> gate(
      std::string_view path) const noexcept = 0;
  // Who a loop of this process is at a gate. Null where there are more loops than places.
  [[nodiscard]] virtual const void* name(std::size_t loop) noexcept = 0;
  // kRoomBytes that this loop may count in, seen by all of them: zeros, or what another one left
  // there. The first kRoomGaugesBytes are zeros when the one is gone. Null likewise.
  static constexpr std::size_t kRoomBytes = 8192;
  static constexpr std::size_t kRoomGaugesBytes = 16;
  [[nodiscard]] virtual void* room(std::size_t loop) noexcept = 0;
  // Calls `see` with each room that is or was in use.
  virtual void see_rooms(void (*see)(void* self, const void* room), void* self) const = 0;

 protected:
  ~Commons() = default;
};

// What an application has on the loops that connections live on, whose threads the interpreter does
// not know. Resource: outlives what it makes.
class LoopFronts {
 public:
  LoopFronts() noexcept = default;
  LoopFronts(const LoopFronts&) = delete;
  LoopFronts& operator=(const LoopFronts&) = delete;
  virtual ~LoopFronts() = default;
  // What stands before `inner` on a loop: both outlive it. Null with a Python exception set.
  // Thread: one that holds the interpreter lock.
  [[nodiscard]] virtual std::unique_ptr<http::Handler> make(http::Handler& inner,
                                                            net::Loop& loop) noexcept = 0;
  // What it counts on all of its loops, and in all processes; null: nothing.
  [[nodiscard]] virtual const edge::MetricsSource* metrics() const noexcept { return nullptr; }
  // Parameters of URLs whose values the access log does not show. Live as long as the process.
  [[nodiscard]] virtual std::span<const std::string_view> hidden_parameters() const noexcept {
    return {};
  }
  // It streams bodies of any size: they have no limit unless somebody sets one.
  [[nodiscard]] virtual bool takes_any_body() const noexcept { return false; }
  // Begins the files of its logs anew, with the next lines. Thread: any.
  virtual void reopen_logs() noexcept {}
  // Writes what can be written without waiting. REQUIRES: its loops do not turn any more.
  virtual void flush_logs() noexcept {}
};

// An application below a prefix of another one.
struct Mounted {
  std::unique_ptr<http::Handler> handler;
  bool takes_prefix_off = true;  // It is asked for what is behind the prefix.
};

// One of the first two is null.
struct Front {
  static constexpr const char* kCapsule = "tercel.front";
  static constexpr const char* kAttribute = "__tercel_front__";
  // What stands before `inner`, which outlives it. Null with a Python exception set.
  std::unique_ptr<http::Handler> (*make)(PyObject* app, AsgiHandler& inner) noexcept;
  // What stands before the application on each loop of connections, which have threads of their own
  // then. `app_loop`, that of the application, outlives it. `commons` is null where there is one
  // process. Null with a Python exception set.
  std::unique_ptr<LoopFronts> (*open)(PyObject* app, net::Loop& app_loop,
                                      Commons* commons) noexcept = nullptr;
  // Answers for `error`, with these fields besides its own.
  using Refuse = void (*)(http::Exchange& exchange, Errc error,
                          std::span<const http::Field> fields) noexcept;
  // Null: it cannot be mounted. What answers below a prefix, on `loop`, which outlives it. Without
  // a handler: a Python exception is set.
  Mounted (*mount)(PyObject* app, net::Loop& loop, Refuse refuse) noexcept = nullptr;
};

// The capsule of the one table; null with a Python exception set.
[[nodiscard]] PyObject* make_door() noexcept;

// The front that an application brings, or null: it has none. Never fails: what is no capsule of a
// front is none.
[[nodiscard]] const Front* front_of(PyObject* app) noexcept;

}  // namespace tercel::python::asgi
