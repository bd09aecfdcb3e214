#include "tercel/net/openssl.h"

#include <dlfcn.h>

namespace tercel::net {
namespace {

class Library {
 public:
  Library() noexcept {
    // Never closed: OpenSSL registers clean-up for the end of the process.
    void* const crypto = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    void* const ssl = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
    complete_ = crypto != nullptr && ssl != nullptr;
#define TERCEL_FIND_SSL(name) find(ssl, #name, functions_.name);
#define TERCEL_FIND_CRYPTO(name) find(crypto, #name, functions_.name);
    TERCEL_LIBSSL(TERCEL_FIND_SSL)
    TERCEL_LIBCRYPTO(TERCEL_FIND_CRYPTO)
#undef TERCEL_FIND_SSL
#undef TERCEL_FIND_CRYPTO
  }
  [[nodiscard]] bool complete() const noexcept {
    return complete_;
  }
  [[nodiscard]] const OpenSsl& functions() const noexcept {
    return functions_;
  }

 private:
  template <typename Function>
  void find(void* library, const char* name, Function*& function) noexcept {
    void* const address = library != nullptr ? dlsym(library, name) : nullptr;
    if (address == nullptr) complete_ = false;
    function = reinterpret_cast<Function*>(address);
  }

  OpenSsl functions_{};
  bool complete_ = false;
};

const Library& library() noexcept {
  static const Library loaded;
  return loaded;
}

}  // namespace

const OpenSsl* find_openssl() noexcept {
  return library().complete() ? &library().functions() : nullptr;
}

const OpenSsl& openssl() noexcept {
  return library().functions();
}

}  // namespace tercel::net
