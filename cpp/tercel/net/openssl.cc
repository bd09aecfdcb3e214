#include "tercel/net/openssl.h"

#include "tercel/base/shared_library.h"

namespace tercel::net {
namespace {

struct Library {
  Library() noexcept {
    const SharedLibrary crypto{"libcrypto.so.3"};
    const SharedLibrary ssl{"libssl.so.3"};
#define TERCEL_FIND_SSL(name) complete = ssl.find(#name, functions.name) && complete;
#define TERCEL_FIND_CRYPTO(name) complete = crypto.find(#name, functions.name) && complete;
    TERCEL_LIBSSL(TERCEL_FIND_SSL)
    TERCEL_LIBCRYPTO(TERCEL_FIND_CRYPTO)
#undef TERCEL_FIND_SSL
#undef TERCEL_FIND_CRYPTO
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
