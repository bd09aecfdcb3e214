#include "tercel/net/cares.h"

#include "tercel/base/shared_library.h"

namespace tercel::net {
namespace {

struct Library {
  Library() noexcept {
    const SharedLibrary library{"libcares.so.2"};
#define TERCEL_FIND(name) complete = library.find(#name, functions.name) && complete;
    TERCEL_LIBCARES(TERCEL_FIND)
#undef TERCEL_FIND
    complete = complete && functions.ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
  }

  Cares functions{};
  bool complete = true;
};

}  // namespace

const Cares* find_cares() noexcept {
  static const Library loaded;
  return loaded.complete ? &loaded.functions : nullptr;
}

}  // namespace tercel::net
