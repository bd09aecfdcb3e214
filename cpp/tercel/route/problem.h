// What a programmer must change in a template, in one sentence.
//
// Templates are written by people who wrote the application, so their text may appear in the
// sentence: unlike the errors of base/errors.h, which a stranger may cause.
#pragma once

#include <optional>
#include <string>

namespace tercel::route {

// Nothing, or one sentence with a full stop that quotes the template; of a conflict, both.
using Problem = std::optional<std::string>;

}  // namespace tercel::route
