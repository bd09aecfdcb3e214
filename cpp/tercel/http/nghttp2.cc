#include "tercel/http/nghttp2.h"

#include "tercel/base/shared_library.h"

namespace tercel::http {

constinit Nghttp2 detail::nghttp2_functions{};

bool load_nghttp2() noexcept {
  static const bool complete = [] {
    const SharedLibrary library{"libnghttp2.so.14"};
    Nghttp2& functions = detail::nghttp2_functions;
    bool found = true;
    const auto find = [&](const char* name, auto& function) {
      found = library.find(name, function) && found;
    };
#define TERCEL_FIND(name) find("nghttp2_" #name, functions.name);
    TERCEL_NGHTTP2(TERCEL_FIND)
#undef TERCEL_FIND
    (void)library.find("nghttp2_option_set_stream_reset_rate_limit",
                       functions.option_set_stream_reset_rate_limit);
    return found;
  }();
  return complete;
}

}  // namespace tercel::http
