// Builds the `scope` of a request.
//
//   Ref scope = scopes.build(request, exchange.endpoints());
//
// A scope is a copy of a template that holds everything but the request's own values: five times
// cheaper than a dict that is filled. What applications are known to change (`asgi`, `extensions`,
// `state`) is fresh in each. `client` and `server` tuples are kept in small caches keyed by the
// address, not with the connection: an idle connection costs nothing. Header names and values are
// not cached: looking one up costs as much as making it, and a cache would keep secrets.
// Source: ASGI HTTP & WebSocket message format 2.5, "HTTP Connection Scope" and "WebSocket
// Connection Scope". Tested by test_asgi_scope.py and test_websocket_asgi.py.
#pragma once

#include <Python.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "python/ref.h"
#include "tercel/base/address.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::python::asgi {

// (host, port) tuples of addresses, the latest ones kept in a direct-mapped table.
class AddressTuples {
 public:
  AddressTuples() noexcept = default;
  AddressTuples(const AddressTuples&) = delete;
  AddressTuples& operator=(const AddressTuples&) = delete;
  ~AddressTuples();

  // A tuple of str and int, None for an address without a host, or null with an exception set.
  [[nodiscard]] Ref find(const Address& address) noexcept;

 private:
  struct Slot {
    Address address;
    PyObject* tuple = nullptr;  // Owned.
  };
  static constexpr std::size_t kSlots = 256;
  [[nodiscard]] static std::size_t slot_of(const Address& address) noexcept;

  std::array<Slot, kSlots> slots_{};
};

// The prefix under which a proxy publishes the application, without a slash at its end. ASGI wants
// it in front of the path: it is put there, unless the proxy left it there.
struct RootPath {
  std::string_view prefix;
  bool in_path = false;
};

class ScopeBuilder {
 public:
  // `root_path` holds where a request does not bring its own. `state` is the lifespan's dict,
  // copied for each request; null: there is none.
  ScopeBuilder(const RootPath& root_path, PyObject* state);
  ScopeBuilder(const ScopeBuilder&) = delete;
  ScopeBuilder& operator=(const ScopeBuilder&) = delete;

  // Makes the templates. False with a Python exception set. To be called once, before build().
  [[nodiscard]] bool init() noexcept;
  // A new dict, or null with an exception set. REQUIRES: views of `request` are valid.
  [[nodiscard]] Ref build(const http::Request& request, const http::Endpoints& endpoints) noexcept;
  // The same for a request that asks for a WebSocket.
  [[nodiscard]] Ref build_websocket(const http::Request& request,
                                    const http::Endpoints& endpoints) noexcept;

 private:
  // What is the same for all requests of one version, security, and wish for trailers.
  struct Template {
    Ref scope;
    Ref extensions;
  };
  static constexpr std::size_t kTemplates = 3 * 2 * 2;
  [[nodiscard]] static std::size_t template_of(http::Version version, bool secure,
                                               bool trailers) noexcept;
  [[nodiscard]] bool make_template(http::Version version, bool secure, bool trailers) noexcept;
  [[nodiscard]] bool make_websocket_template(http::Version version, bool secure) noexcept;
  // What both kinds of scope have. False with an exception set.
  enum class Kind : std::uint8_t { kHttp, kWebSocket };
  [[nodiscard]] bool fill_template(PyObject* scope, Kind kind, http::Version version, bool secure,
                                   const Ref& extensions) noexcept;
  // A copy of a template with what is fresh in each scope and what both kinds have.
  [[nodiscard]] Ref build_from(const Template& model, const http::Request& request,
                               const http::Endpoints& ends) noexcept;

  [[nodiscard]] bool fill(PyObject* scope, const http::Request& request) noexcept;
  [[nodiscard]] bool fill_ends(PyObject* scope, const http::Request& request,
                               const http::Endpoints& ends) noexcept;
  [[nodiscard]] static bool add_tls(PyObject* scope, const TlsInfo& tls) noexcept;
  [[nodiscard]] Ref path(std::string_view prefix, std::string_view encoded);
  [[nodiscard]] Ref server(const http::Endpoints& ends) noexcept;

  std::string root_path_;
  bool in_path_;
  Ref state_;
  Ref asgi_;
  std::array<Template, kTemplates> templates_;
  std::array<Template, 3 * 2> websocket_templates_;
  std::string path_;  // Scratch, kept for its memory.
  AddressTuples addresses_;
};

}  // namespace tercel::python::asgi
