#include "python/wsgi/names.h"

#include <array>

namespace tercel::python::wsgi {

Names names{};

bool init_names() noexcept {
  struct Entry {
    PyObject* Names::*member;
    const char* text;
  };
  constexpr std::array kTexts{
      Entry{&Names::request_method, "REQUEST_METHOD"},
      Entry{&Names::script_name, "SCRIPT_NAME"},
      Entry{&Names::path_info, "PATH_INFO"},
      Entry{&Names::query_string, "QUERY_STRING"},
      Entry{&Names::request_uri, "REQUEST_URI"},
      Entry{&Names::raw_uri, "RAW_URI"},
      Entry{&Names::server_protocol, "SERVER_PROTOCOL"},
      Entry{&Names::server_name, "SERVER_NAME"},
      Entry{&Names::server_port, "SERVER_PORT"},
      Entry{&Names::remote_addr, "REMOTE_ADDR"},
      Entry{&Names::remote_port, "REMOTE_PORT"},
      Entry{&Names::content_type, "CONTENT_TYPE"},
      Entry{&Names::content_length, "CONTENT_LENGTH"},
      Entry{&Names::url_scheme, "wsgi.url_scheme"},
      Entry{&Names::input, "wsgi.input"},
      Entry{&Names::early_hints, "wsgi.early_hints"},
      Entry{&Names::close, "close"},
      Entry{&Names::raw, "raw"},
  };
  for (const Entry& entry : kTexts) {
    if (names.*entry.member != nullptr) continue;
    names.*entry.member = PyUnicode_InternFromString(entry.text);
    if (names.*entry.member == nullptr) return false;
  }
  return true;
}

}  // namespace tercel::python::wsgi
