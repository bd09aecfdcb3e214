// The dicts that cross between the application and the server: those that receive() returns, and
// how the values of those given to send() are read.
//
// Source: ASGI HTTP & WebSocket message format 2.5. Tested by test_asgi_receive.py and
// test_asgi_send.py.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "python/ref.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::python::asgi {

// Makes the templates of the messages. False with a Python exception set.
[[nodiscard]] bool init_messages() noexcept;

// --- receive(). New dicts, or null with MemoryError set. The application may change them.
[[nodiscard]] PyObject* empty_request_message() noexcept;
[[nodiscard]] PyObject* request_message(std::string_view body, bool more_body) noexcept;
[[nodiscard]] PyObject* disconnect_message() noexcept;

// --- send()
enum class MessageType : std::uint8_t {
  kStart,
  kBody,
  kTrailers,
  kEarlyHint,
  kPathsend,
  kZerocopysend,
  kPush,
  kUnknown
};
[[nodiscard]] MessageType message_type(std::string_view text) noexcept;

// A value of a message. The three ways to ask differ in what its absence means; each sets an
// exception where it says so.
//
// Borrowed, or null: absent, unless an exception is set (of a comparison of keys).
[[nodiscard]] inline PyObject* find(PyObject* message, PyObject* key) noexcept {
  return PyDict_GetItemWithError(message, key);
}
// Borrowed, or null with KeyError set.
[[nodiscard]] PyObject* require(PyObject* message, PyObject* key) noexcept;
// 1 or 0 (also when absent), or -1 with an exception set.
[[nodiscard]] int find_flag(PyObject* message, PyObject* key) noexcept;

// The type of a message, as text and (borrowed) as the object. Null data with TypeError or KeyError
// set: no dict, no type, or a type that is not str.
[[nodiscard]] std::string_view read_type(PyObject* message, PyObject** type) noexcept;
// 0 to 65535, or -1 with TypeError or ValueError set, or with whatever is set when `status` is
// null. The exchange knows which are allowed, but for 101, which leads out of HTTP: an application
// does not say that by itself.
[[nodiscard]] int read_status(PyObject* status) noexcept;

// Fills `fields` with views of `headers`, an iterable of pairs (null: none). `keep` takes what the
// views point into, as far as that is not `headers` itself.
// REQUIRES: no Python code runs while the views are used.
// False with TypeError (not a pair, not bytes), ValueError (more than kResponseFieldsMax) or an
// exception of the iterable set.
inline constexpr std::size_t kResponseFieldsMax = 1024;
[[nodiscard]] bool read_fields(PyObject* headers, std::vector<http::Field>& fields,
                               Ref& keep) noexcept;

// The same in two steps, for what is kept between messages: a new list of tuples of bytes, or null
// with an exception as above.
[[nodiscard]] Ref read_pairs(PyObject* headers) noexcept;
// A new list of bytes from an iterable of them, at most kResponseFieldsMax, or null as above.
[[nodiscard]] Ref read_values(PyObject* values) noexcept;

// REQUIRES: a bytes object. Valid as long as that is.
[[nodiscard]] inline std::string_view view_of(PyObject* bytes) noexcept {
  return {PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))};
}

// The bytes of a body: bytes, bytearray or memoryview. Held while this lives.
class BodyBytes {
 public:
  BodyBytes() noexcept = default;
  BodyBytes(const BodyBytes&) = delete;
  BodyBytes& operator=(const BodyBytes&) = delete;
  ~BodyBytes() {
    if (has_view_) PyBuffer_Release(&view_);
  }

  // Reads `body`, or nothing when it is null. False with TypeError set for another type, with
  // BufferError for a memoryview that is not contiguous. To be called once.
  [[nodiscard]] bool read(PyObject* body) noexcept;
  // For http::Exchange::write(). Large bytes go by reference: the payload keeps the bytes object
  // until they are sent. What the application could change afterwards (a bytearray) never does.
  [[nodiscard]] http::Payload payload() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

 private:
  // Below, a copy is cheaper than a reference and a piece of its own in the system call.
  static constexpr std::size_t kReferenceBytesMin = 2048;

  std::string_view bytes_;
  PyObject* immutable_ = nullptr;  // Borrowed: the bytes object that holds `bytes_`, if one does.
  Py_buffer view_;                 // Set if has_view_.
  bool has_view_ = false;
};

// Reads a message that is part of a body: its bytes, and whether more follow. False with an
// exception set.
[[nodiscard]] bool read_body_message(PyObject* message, BodyBytes& bytes,
                                     http::Final& final) noexcept;

}  // namespace tercel::python::asgi
