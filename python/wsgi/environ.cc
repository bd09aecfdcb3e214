#include "python/wsgi/environ.h"

#include <algorithm>
#include <functional>
#include <span>

#include "python/wsgi/names.h"
#include "tercel/base/percent.h"

namespace tercel::python::wsgi {
namespace {

constexpr std::array<const char*, 3> kProtocols{"HTTP/1.0", "HTTP/1.1", "HTTP/2"};

Ref text(std::string_view latin1) noexcept {
  return Ref::steal(
      PyUnicode_DecodeLatin1(latin1.data(), static_cast<Py_ssize_t>(latin1.size()), nullptr));
}

bool set(PyObject* dict, PyObject* key, const Ref& value) noexcept {
  return value && PyDict_SetItem(dict, key, value.get()) == 0;
}

bool set(PyObject* dict, const char* key, const Ref& value) noexcept {
  return value && PyDict_SetItemString(dict, key, value.get()) == 0;
}

Ref host_of(const Address& address) noexcept {
  std::array<char, Address::kHostBytesMax> room;
  return text(address.host(room));
}

Ref port_of(const Address& address) noexcept {
  return text(std::to_string(address.port));
}

bool has_host(const Address& address) noexcept {
  return address.kind == AddressKind::kIpv4 || address.kind == AddressKind::kIpv6;
}

// Whether `path` is `prefix` or below it.
bool is_below(std::string_view path, std::string_view prefix) noexcept {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

EnvironBuilder::~EnvironBuilder() {
  for (Slot& slot : slots_) Py_XDECREF(slot.key);
}

bool EnvironBuilder::init(PyObject* file_wrapper, PyObject* errors) noexcept {
  template_ = Ref::steal(PyDict_New());
  if (!template_) return false;
  PyObject* dict = template_.get();
  const auto flag = [](bool value) { return Ref::share(value ? Py_True : Py_False); };
  return set(dict, names.request_method, Ref::share(Py_None)) &&
         set(dict, names.script_name, text(options_.script_name)) &&
         set(dict, names.path_info, text("")) && set(dict, names.query_string, text("")) &&
         set(dict, names.request_uri, Ref::share(Py_None)) &&
         set(dict, names.raw_uri, Ref::share(Py_None)) &&
         set(dict, names.server_protocol, text(kProtocols[1])) &&
         set(dict, names.server_name, text("localhost")) &&
         set(dict, names.server_port, text("80")) && set(dict, names.remote_addr, text("")) &&
         set(dict, "SERVER_SOFTWARE", text("tercel/" TERCEL_VERSION)) &&
         set(dict, "wsgi.version", Ref::steal(Py_BuildValue("(ii)", 1, 0))) &&
         set(dict, names.url_scheme, text("http")) && set(dict, names.input, Ref::share(Py_None)) &&
         set(dict, names.early_hints, Ref::share(Py_None)) &&
         set(dict, "wsgi.errors", Ref::share(errors)) &&
         set(dict, "wsgi.multithread", flag(options_.multithread)) &&
         set(dict, "wsgi.multiprocess", flag(options_.multiprocess)) &&
         set(dict, "wsgi.run_once", flag(false)) &&
         set(dict, "wsgi.input_terminated", flag(true)) &&
         set(dict, "wsgi.file_wrapper", Ref::share(file_wrapper));
}

Ref EnvironBuilder::build(const http::Request& request, const http::Endpoints& ends,
                          std::optional<std::uint64_t> body_bytes, const Objects& own) noexcept {
  Ref environ = Ref::steal(PyDict_Copy(template_.get()));
  if (!environ) return {};
  PyObject* dict = environ.get();
  const auto version = static_cast<std::size_t>(request.version);
  const bool filled =
      set(dict, names.request_method, text(request.method)) &&
      (version == 1 || set(dict, names.server_protocol, text(kProtocols[version]))) &&
      (!request.secure ||
       (set(dict, names.url_scheme, text("https")) && set(dict, names.server_port, text("443")))) &&
      set(dict, names.input, Ref::share(own.input)) &&
      set(dict, names.early_hints, Ref::share(own.early_hints)) && fill_target(dict, request) &&
      fill_ends(dict, request, ends) && fill_fields(dict, request, body_bytes);
  return filled ? std::move(environ) : Ref{};
}

bool EnvironBuilder::fill_target(PyObject* environ, const http::Request& request) {
  std::string_view prefix = request.root_path;
  if (!prefix.empty()) {
    if (!set(environ, names.script_name, text(prefix))) return false;
  } else if (options_.in_path) {
    prefix = options_.script_name;
  }
  std::string decoded(request.path.size(), '\0');
  std::string_view path = percent_decode(request.path, std::span{decoded});
  if (path == "*") path = {};
  if (options_.in_path && !prefix.empty()) {
    if (is_below(path, prefix)) {
      path.remove_prefix(prefix.size());
    } else if (!set(environ, names.script_name, text(""))) {
      return false;
    }
  }
  const Ref uri = text(request.target);
  return (path.empty() || set(environ, names.path_info, text(path))) &&
         (request.query.empty() || set(environ, names.query_string, text(request.query))) &&
         set(environ, names.request_uri, uri) && set(environ, names.raw_uri, uri);
}

bool EnvironBuilder::fill_ends(PyObject* environ, const http::Request& request,
                               const http::Endpoints& ends) noexcept {
  if (has_host(ends.local) && !(set(environ, names.server_name, host_of(ends.local)) &&
                                set(environ, names.server_port, port_of(ends.local)))) {
    return false;
  }
  const Address& client = *request.client;
  if (!has_host(client)) return true;
  return set(environ, names.remote_addr, host_of(client)) &&
         (client.port == 0 || set(environ, names.remote_port, port_of(client)));
}

bool EnvironBuilder::fill_fields(PyObject* environ, const http::Request& request,
                                 std::optional<std::uint64_t> body_bytes) {
  const auto left_out = [&](const http::Field& field) {
    return field.name.find('_') != std::string_view::npos ||
           (body_bytes && field.name == "transfer-encoding");
  };
  const auto filled = [&](const http::Field& field) {
    return left_out(field) || add_field(environ, field);
  };
  return std::ranges::all_of(request.fields, filled) &&
         (!body_bytes || set(environ, names.content_length, text(std::to_string(*body_bytes))));
}

bool EnvironBuilder::add_field(PyObject* environ, const http::Field& field) {
  const Ref key = key_of(field.name);
  if (!key) return false;
  PyObject* const before = PyDict_GetItemWithError(environ, key.get());
  if (before == nullptr) return !PyErr_Occurred() && set(environ, key.get(), text(field.value));
  const Ref value = text(field.value);
  const char* const between = field.name == "cookie" ? "%U; %U" : "%U,%U";
  return value &&
         set(environ, key.get(), Ref::steal(PyUnicode_FromFormat(between, before, value.get())));
}

Ref EnvironBuilder::key_of(std::string_view name) {
  if (name == "content-type") return Ref::share(names.content_type);
  if (name == "content-length") return Ref::share(names.content_length);
  Slot& slot = slots_[std::hash<std::string_view>{}(name) % kSlots];
  if (slot.key != nullptr && slot.name == name) return Ref::share(slot.key);
  std::string key = "HTTP_";
  for (const char c : name) {
    key += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  Ref made = text(key);
  if (made && name.size() <= kNameBytesMax) {
    slot.name = name;
    Py_XSETREF(slot.key, Py_NewRef(made.get()));
  }
  return made;
}

}  // namespace tercel::python::wsgi
