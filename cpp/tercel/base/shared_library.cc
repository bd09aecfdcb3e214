#include "tercel/base/shared_library.h"

#include <dlfcn.h>

namespace tercel {

SharedLibrary::SharedLibrary(const char* name) noexcept
    : handle_{::dlopen(name, RTLD_NOW | RTLD_LOCAL)} {}

void* SharedLibrary::address_of(const char* name) const noexcept {
  return handle_ != nullptr ? ::dlsym(handle_, name) : nullptr;
}

}  // namespace tercel
