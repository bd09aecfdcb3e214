#include "tercel/net/openssl.h"

#include "tercel/base/shared_library.h"

namespace tercel::net {
namespace {

struct Library {
  Library() noexcept {
    const SharedLibrary crypto{"libcrypto.so.3"};
    const SharedLibrary ssl{"libssl.so.3"};
#define TERCEL_FIND_SSL(name) find(ssl, #name, functions.name);
#define TERCEL_FIND_CRYPTO(name) find(crypto, #name, functions.name);
    TERCEL_LIBSSL(TERCEL_FIND_SSL)
    TERCEL_LIBCRYPTO(TERCEL_FIND_CRYPTO)
#undef TERCEL_FIND_SSL
#undef TERCEL_FIND_CRYPTO
  }

  template <typename Function>
  void find(const SharedLibrary& from, const char* name, Function& function) noexcept {
    complete = from.find(name, function) && complete;
  }

  OpenSsl functions{};
  bool complete = true;
};

const Library& library() noexcept {
  static const Library loaded;
  return loaded;
}

}  // namespace

const OpenSsl* find_openssl() noexcept {
  return library().complete ? &library().functions : nullptr;
}

const OpenSsl& openssl() noexcept {
  return library().functions;
}

}  // namespace tercel::net
