// Keeps the demangler of libstdc++ out of the module. It is the largest thing in there that nobody
// runs, and what every process holds for the sentences of crashes and of binding mistakes, which
// name the type as the compiler does instead (`c++filt` reads it).
//
// nanobind and the terminate handler both take "not a mangled name" for an answer.
// Source: Itanium C++ ABI, section 3.4.
#include <cstddef>

extern "C" char* __cxa_demangle(const char* /*name*/, char* /*buffer*/, std::size_t* /*length*/,
                                int* status);

extern "C" char* __cxa_demangle(const char* /*name*/, char* /*buffer*/, std::size_t* /*length*/,
                                int* status) {
  constexpr int kNotMangled = -2;
  if (status != nullptr) *status = kNotMangled;
  return nullptr;
}
