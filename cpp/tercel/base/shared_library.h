// A library of the system that is loaded when something first needs it.
//
//   SharedLibrary library{"libz.so.1"};
//   bool complete = library.find("inflate", zlib.inflate) && ...;
//
// What a process does not use it does not map, and what a machine does not have keeps nothing from
// starting. Never unloaded: libraries leave work for the end of the process behind.
// A value. Thread: any.
#pragma once

namespace tercel {

class SharedLibrary {
 public:
  // `name` is the one that the dynamic linker knows it by. Its symbols are visible to nobody else.
  explicit SharedLibrary(const char* name) noexcept;

  // Sets `function` to what has that name. False: the library is not there or has no such thing,
  // and `function` is null.
  template <typename Function>
  bool find(const char* name, Function*& function) const noexcept {
    function = reinterpret_cast<Function*>(address_of(name));
    return function != nullptr;
  }

 private:
  [[nodiscard]] void* address_of(const char* name) const noexcept;

  void* handle_;
};

}  // namespace tercel
