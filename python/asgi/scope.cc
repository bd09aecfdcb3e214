#include "python/asgi/scope.h"

#include <algorithm>
#include <cstring>

#include "python/asgi/interned.h"
#include "tercel/base/percent.h"
#include "tercel/http/websocket_handshake.h"

namespace tercel::python::asgi {
namespace {

using std::string_view_literals::operator""sv;

constexpr const char* kAsgiVersion = "3.0";
constexpr const char* kSpecVersion = "2.5";

constexpr std::array kVersions{"1.0", "1.1", "2"};

// The usual methods are interned by the interpreter once; any other token becomes a new str.
constexpr std::array kMethods{"GET"sv,   "POST"sv,    "HEAD"sv,    "PUT"sv,  "DELETE"sv,
                              "PATCH"sv, "OPTIONS"sv, "CONNECT"sv, "TRACE"sv};
std::array<PyObject*, kMethods.size()> method_names{};

Ref make_text(std::string_view text) noexcept {
  return Ref::steal(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

Ref make_bytes(std::string_view bytes) noexcept {
  if (bytes.empty()) return Ref::share(keys.empty_bytes);
  return Ref::steal(PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
}

Ref make_method(std::string_view method) noexcept {
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    if (kMethods[i] == method) return Ref::share(method_names[i]);
  }
  return make_text(method);
}

Ref make_header(const http::Field& field) noexcept {
  Ref name = make_bytes(field.name);
  Ref value = make_bytes(field.value);
  Ref pair = Ref::steal(name && value ? PyTuple_New(2) : nullptr);
  if (!pair) return {};
  PyTuple_SET_ITEM(pair.get(), 0, name.release());
  PyTuple_SET_ITEM(pair.get(), 1, value.release());
  return pair;
}

Ref make_headers(std::span<const http::Field> fields) noexcept {
  Ref list = Ref::steal(PyList_New(static_cast<Py_ssize_t>(fields.size())));
  if (!list) return {};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    Ref pair = make_header(fields[i]);
    if (!pair) return {};
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), pair.release());
  }
  return list;
}

Ref make_subprotocols(std::span<const http::Field> fields) noexcept {
  Ref list = Ref::steal(PyList_New(0));
  http::FieldList offered{fields, http::kSubprotocolField};
  for (auto name = offered.next(); list && !name.empty(); name = offered.next()) {
    const Ref text = make_text(name);
    if (!text || PyList_Append(list.get(), text.get()) < 0) return {};
  }
  return list;
}

std::size_t websocket_template_of(http::Version version, bool secure) noexcept {
  return static_cast<std::size_t>(version) * 2 + (secure ? 1U : 0U);
}

// scope[key] = value. False with an exception set; also when `value` is null with one.
bool set(PyObject* scope, PyObject* key, const Ref& value) noexcept {
  return value && PyDict_SetItem(scope, key, value.get()) == 0;
}

bool set_text(PyObject* dict, PyObject* key, const char* text) noexcept {
  return set(dict, key, Ref::steal(PyUnicode_InternFromString(text)));
}

bool add_extension(PyObject* extensions, const char* name) noexcept {
  const Ref details = Ref::steal(PyDict_New());
  return details && PyDict_SetItemString(extensions, name, details.get()) == 0;
}

}  // namespace

AddressTuples::~AddressTuples() {
  for (Slot& slot : slots_) Py_XDECREF(slot.tuple);
}

std::size_t AddressTuples::slot_of(const Address& address) noexcept {
  std::array<std::uint64_t, 2> ip;
  static_assert(sizeof(ip) == sizeof(address.ip));
  std::memcpy(ip.data(), address.ip.data(), sizeof(ip));
  constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15;  // 2^64 divided by the golden ratio.
  const std::uint64_t mixed = (ip[0] ^ (ip[1] * kMix) ^ address.port) * kMix;
  return static_cast<std::size_t>(mixed >> 32) % kSlots;
}

Ref AddressTuples::find(const Address& address) noexcept {
  if (address.kind != AddressKind::kIpv4 && address.kind != AddressKind::kIpv6) {
    return Ref::share(Py_None);
  }
  Slot& slot = slots_[slot_of(address)];
  if (slot.tuple != nullptr && slot.address == address) return Ref::share(slot.tuple);
  std::array<char, Address::kHostBytesMax> text;
  const Ref host = make_text(address.host(text));
  Ref tuple = Ref::steal(host ? Py_BuildValue("(Oi)", host.get(), static_cast<int>(address.port))
                              : nullptr);
  if (!tuple) return {};
  Ref replaced = Ref::steal(slot.tuple);
  slot.address = address;
  slot.tuple = Py_NewRef(tuple.get());
  return tuple;
}

ScopeBuilder::ScopeBuilder(const RootPath& root_path, PyObject* state)
    : root_path_{root_path.prefix}, in_path_{root_path.in_path}, state_{Ref::share(state)} {}

bool ScopeBuilder::init() noexcept {
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    if (method_names[i] != nullptr) continue;
    method_names[i] = PyUnicode_InternFromString(kMethods[i].data());
    if (method_names[i] == nullptr) return false;
  }
  asgi_ = Ref::steal(
      Py_BuildValue("{OsOs}", keys.version, kAsgiVersion, keys.spec_version, kSpecVersion));
  if (!asgi_) return false;
  for (const http::Version version :
       {http::Version::kHttp10, http::Version::kHttp11, http::Version::kHttp2}) {
    for (const bool secure : {false, true}) {
      if (!make_websocket_template(version, secure)) return false;
      for (const bool trailers : {false, true}) {
        if (!make_template(version, secure, trailers)) return false;
      }
    }
  }
  return true;
}

std::size_t ScopeBuilder::template_of(http::Version version, bool secure, bool trailers) noexcept {
  return static_cast<std::size_t>(version) * 4 + (secure ? 2U : 0U) + (trailers ? 1U : 0U);
}

bool ScopeBuilder::make_template(http::Version version, bool secure, bool trailers) noexcept {
  Ref extensions = Ref::steal(PyDict_New());
  if (!extensions) return false;
  PyObject* offered = extensions.get();
  if (!add_extension(offered, "http.response.pathsend")) return false;
  if (!add_extension(offered, "http.response.zerocopysend")) return false;
  // An HTTP/1.0 client knows neither interim responses nor chunked bodies.
  if (version != http::Version::kHttp10) {
    if (!add_extension(offered, "http.response.early_hint")) return false;
    if (trailers && !add_extension(offered, "http.response.trailers")) return false;
  }
  Ref scope = Ref::steal(PyDict_New());
  const bool filled = scope && fill_template(scope.get(), Kind::kHttp, version, secure, extensions);
  if (!filled) return false;
  templates_[template_of(version, secure, trailers)] = {std::move(scope), std::move(extensions)};
  return true;
}

// Source: ASGI's TLS extension, version 0.2.
bool ScopeBuilder::add_tls(PyObject* scope, const TlsInfo& tls) noexcept {
  Ref chain = Ref::steal(PyList_New(static_cast<Py_ssize_t>(tls.client_chain.size())));
  if (!chain) return false;
  for (std::size_t i = 0; i < tls.client_chain.size(); ++i) {
    Ref certificate = make_text(tls.client_chain[i]);
    if (!certificate) return false;
    PyList_SET_ITEM(chain.get(), static_cast<Py_ssize_t>(i), certificate.release());
  }
  const Ref ours = make_text(*tls.server_certificate);
  const Ref client = tls.client_chain.empty() ? Ref::share(Py_None) : make_text(tls.client_name);
  // A client whose certificate is not good has no connection, so there is no error to tell of.
  const Ref details = Ref::steal(
      ours && client
          ? Py_BuildValue("{sOsOsOsOsisi}", "server_cert", ours.get(), "client_cert_chain",
                          chain.get(), "client_cert_name", client.get(), "client_cert_error",
                          Py_None, "tls_version", static_cast<int>(tls.version), "cipher_suite",
                          static_cast<int>(tls.cipher_suite))
          : nullptr);
  PyObject* extensions = PyDict_GetItemWithError(scope, keys.extensions);
  return details && extensions != nullptr &&
         PyDict_SetItemString(extensions, "tls", details.get()) == 0;
}

bool ScopeBuilder::make_websocket_template(http::Version version, bool secure) noexcept {
  Ref extensions = Ref::steal(PyDict_New());
  if (!extensions || !add_extension(extensions.get(), "websocket.http.response")) return false;
  Ref scope = Ref::steal(PyDict_New());
  const bool filled = scope &&
                      fill_template(scope.get(), Kind::kWebSocket, version, secure, extensions) &&
                      set(scope.get(), keys.subprotocols, Ref::share(Py_None));
  if (!filled) return false;
  websocket_templates_[websocket_template_of(version, secure)] = {std::move(scope),
                                                                  std::move(extensions)};
  return true;
}

bool ScopeBuilder::fill_template(PyObject* scope, Kind kind, http::Version version, bool secure,
                                 const Ref& extensions) noexcept {
  const bool is_http = kind == Kind::kHttp;
  const char* const plain = is_http ? "http" : "ws";
  const char* const encrypted = is_http ? "https" : "wss";
  return set_text(scope, keys.type, is_http ? "http" : "websocket") &&
         set(scope, keys.asgi, asgi_) &&
         set_text(scope, keys.http_version, kVersions[static_cast<std::size_t>(version)]) &&
         (!is_http || set(scope, keys.method, Ref::share(Py_None))) &&
         set_text(scope, keys.scheme, secure ? encrypted : plain) &&
         set(scope, keys.path, Ref::share(Py_None)) &&
         set(scope, keys.raw_path, Ref::share(Py_None)) &&
         set(scope, keys.query_string, Ref::share(keys.empty_bytes)) &&
         set(scope, keys.root_path, make_text(root_path_)) &&
         set(scope, keys.headers, Ref::share(Py_None)) &&
         set(scope, keys.client, Ref::share(Py_None)) &&
         set(scope, keys.server, Ref::share(Py_None)) && set(scope, keys.extensions, extensions) &&
         (!state_ || set(scope, keys.state, state_));
}

Ref ScopeBuilder::build_from(const Template& model, const http::Request& request,
                             const http::Endpoints& ends) noexcept {
  Ref scope = Ref::steal(PyDict_Copy(model.scope.get()));
  if (!scope) return {};
  PyObject* dict = scope.get();
  const bool filled = set(dict, keys.asgi, Ref::steal(PyDict_Copy(asgi_.get()))) &&
                      set(dict, keys.extensions, Ref::steal(PyDict_Copy(model.extensions.get()))) &&
                      (!state_ || set(dict, keys.state, Ref::steal(PyDict_Copy(state_.get())))) &&
                      fill(dict, request) && fill_ends(dict, request, ends);
  if (filled && ends.tls && !add_tls(dict, *ends.tls)) return {};
  return filled ? std::move(scope) : Ref{};
}

Ref ScopeBuilder::build(const http::Request& request, const http::Endpoints& ends) noexcept {
  const Template& model =
      templates_[template_of(request.version, request.secure, request.accepts_trailers)];
  Ref scope = build_from(model, request, ends);
  if (!scope || !set(scope.get(), keys.method, make_method(request.method))) return {};
  return scope;
}

Ref ScopeBuilder::build_websocket(const http::Request& request,
                                  const http::Endpoints& ends) noexcept {
  Ref scope = build_from(
      websocket_templates_[websocket_template_of(request.version, request.secure)], request, ends);
  if (!scope || !set(scope.get(), keys.subprotocols, make_subprotocols(request.fields))) return {};
  return scope;
}

bool ScopeBuilder::fill(PyObject* scope, const http::Request& request) noexcept {
  const std::string_view prefix = request.root_path;
  return (prefix.empty() || set(scope, keys.root_path, make_text(prefix))) &&
         set(scope, keys.path, path(prefix.empty() ? root_path_ : prefix, request.path)) &&
         set(scope, keys.raw_path, make_bytes(request.path)) &&
         (request.query.empty() || set(scope, keys.query_string, make_bytes(request.query))) &&
         set(scope, keys.headers, make_headers(request.fields));
}

Ref ScopeBuilder::path(std::string_view prefix, std::string_view encoded) {
  // The asterisk is the whole server (RFC 9110 section 9.3.7), below no prefix.
  if (in_path_ || encoded == "*") prefix = {};
  if (prefix.empty() && encoded.find('%') == std::string_view::npos) return make_text(encoded);
  path_.assign(prefix);
  path_.resize(prefix.size() + encoded.size());
  const std::span<char> tail = std::span{path_}.subspan(prefix.size());
  const std::string_view decoded = percent_decode(encoded, tail);
  return make_text({path_.data(), prefix.size() + decoded.size()});
}

bool ScopeBuilder::fill_ends(PyObject* scope, const http::Request& request,
                             const http::Endpoints& ends) noexcept {
  return set(scope, keys.client, addresses_.find(*request.client)) &&
         set(scope, keys.server, server(ends));
}

Ref ScopeBuilder::server(const http::Endpoints& ends) noexcept {
  if (ends.local.kind != AddressKind::kUnix) return addresses_.find(ends.local);
  const Ref path = make_text(ends.local_path);
  return Ref::steal(path ? PyTuple_Pack(2, path.get(), Py_None) : nullptr);
}

}  // namespace tercel::python::asgi
