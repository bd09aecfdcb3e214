// A Python function as the endpoint of a route.
//
// Parameters and body become keyword arguments, whose names are known when the route is registered;
// what a request leaves out is the default. A plain function runs at once; a coroutine function as
// an ASGI application does, in a context and with a task of its own (asgi/door.h). What it returns
// is the answer (answer.h); what it raises, the application is asked about. Thread: the loop's,
// with the interpreter lock held. Tested by test_api_app.py.
#pragma once

#include <Python.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "python/api/answer.h"
#include "python/api/shape.h"
#include "python/api/uploads.h"
#include "python/asgi/door.h"
#include "python/ref.h"
#include "tercel/api/call.h"

namespace tercel::python::api {

// One keyword argument.
struct Argument {
  Ref fallback;  // When the request has none; null: it always has one.
  Ref convert;   // Called with the value as JSON has it; null: that is the argument.
  bool is_float = false;
  bool is_file = false;  // Or several (uploads.h).
  Uploads::Wish wish = {};
};

// What the endpoints of one application share. Borrowed objects: the application keeps them.
struct Surroundings {
  PyObject* owner;  // Keeps the endpoints; null: they are never run by a server.
  Encoding encoding;
  PyObject* request_type;  // Called with method, path, query, headers and body.
  PyObject* upload_type;   // As Uploads has them.
  PyObject* spool_type;
  PyObject* refusal_type;  // Called with status, Content-Type, other fields and body.
  // Called with an exception and the path of the request (None: it is no text), returns a Response
  // or None.
  PyObject* answer_raised;
  PyObject* failed;  // Called with the path, returns the Response for what nobody answers.
  const asgi::Door* door;
};

// Where a call that is not the server's leaves what it found: the function and its arguments, or
// what nobody answers and goes on, as KeyboardInterrupt does.
struct Portable {
  std::uint32_t route = 0;
  bool is_authenticator = false;  // Of that route: the last argument is what to answer with.
  Ref arguments;                  // A tuple, once it was called.
  Ref refusal;                    // Instead of both: what is called without arguments, and raises.
  Ref raised;
};

class PyEndpoint final : public tercel::api::Endpoint {
 public:
  struct Options {
    std::uint32_t route = 0;
    std::uint16_t status = 200;
    bool is_async = false;
    bool is_refusal = false;          // It raises, and is no route's own.
    bool is_authenticator = false;    // Its last argument is what it answers with, or raises.
    std::vector<Argument> arguments;  // Of the parameters, in their order.
    bool takes_body = false;          // Behind those of the parameters.
    Argument body;
    Shape shape;                    // Of the body; none: `body.convert` makes it from the text.
    bool takes_request = false;     // Behind the body.
    bool takes_media_type = false;  // Behind the request.
  };

  // `names`: a tuple of the names of all arguments, in that order. `app` outlives it.
  PyEndpoint(const Surroundings& around, Ref function, Ref names, Options options) noexcept
      : around_{around},
        function_{std::move(function)},
        names_{std::move(names)},
        options_{std::move(options)} {}

  void call(tercel::api::Call& call) noexcept override;
  // What stands for the arguments of an authenticator's next call; null: the call's refusal.
  void set_raised(Ref raised) noexcept { raised_ = std::move(raised); }

  // Who is asked about a request whose values are none of the arguments' types. Null: nobody.
  void set_authenticator(PyEndpoint* authenticator) noexcept { authenticator_ = authenticator; }
  // Where requests go on from here. Null: nowhere yet.
  void set_handler(asgi::AsgiHandler* handler) noexcept { handler_ = handler; }
  // For the next calls; null: they are the server's.
  void set_portable(Portable* portable) noexcept { portable_ = portable; }

  // --- for calls that suspend (invocation.h)
  // Runs the function; a new reference, or null with an exception set.
  [[nodiscard]] PyObject* run(PyObject* arguments) const noexcept;
  // Answers, through what the call was given as `send`. False with the exception set that goes on.
  // `result` is null: what answers is the exception that is set.
  [[nodiscard]] bool answer(PyObject* send, PyObject* result,
                            const edge::Asked& asked) const noexcept;
  [[nodiscard]] bool is_stream(PyObject* result) const noexcept;
  // The coroutine that sends it. New reference; null with an exception set.
  // `head`: of what it would make, nothing is sent.
  [[nodiscard]] PyObject* open_stream(PyObject* stream, PyObject* send, bool head) const noexcept;

  // What answers an exception, which is set: a Response. Null with the exception set that goes on.
  [[nodiscard]] Ref response_to_raised(std::string_view path) const noexcept;
  // The Response for what nobody answers. Null with an exception set.
  [[nodiscard]] Ref failed(std::string_view path) const noexcept;
  // For tp_traverse of the Python object that this is part of.
  int traverse(visitproc visit, void* arg) const;

 private:
  // A tuple of all arguments. Null with an exception set.
  [[nodiscard]] Ref build(const tercel::api::Call& call) noexcept;
  [[nodiscard]] bool build_into(PyObject* tuple, const tercel::api::Call& call) noexcept;
  [[nodiscard]] PyObject* make(const Argument& argument,
                               std::optional<json::Value> value) const noexcept;
  [[nodiscard]] PyObject* make_body(const tercel::api::Call& call) const noexcept;
  [[nodiscard]] PyObject* make_request(const tercel::api::Call& call) const noexcept;
  [[nodiscard]] PyObject* make_refusal(const tercel::api::Call& call) noexcept;
  // Answers for the exception that is set, which building the arguments raised.
  void refuse(tercel::api::Call& call) noexcept;
  // Makes an answer of `result`, or of the exception that is set when it is null, and hands it to
  // `deliver(Answer&)`, which returns false with an exception set. False with the exception
  // set that goes on.
  template <typename Deliver>
  [[nodiscard]] bool answer_with(PyObject* result, std::string_view path,
                                 Deliver deliver) const noexcept;
  void answer_at_once(tercel::api::Call& call, PyObject* result) const noexcept;
  // Goes on in a task, with what invocation.h made; null: with the exception that is set.
  void go_on(tercel::api::Call& call, PyObject* invocation) const noexcept;

  const Surroundings& around_;
  Ref function_;
  Ref names_;
  Options options_;
  asgi::AsgiHandler* handler_ = nullptr;
  Portable* portable_ = nullptr;
  PyEndpoint* authenticator_ = nullptr;
  Ref raised_;
};

}  // namespace tercel::python::api
