// What a person must change in the settings, in one sentence.
//
// Settings are typed by people who started the server, so their text may appear in the sentence,
// escaped and cut: unlike the errors of base/errors.h, which a stranger may cause.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tercel::config {

// Nothing, or one sentence with a full stop that names the setting and the value.
using Problem = std::optional<std::string>;

// `text` in double quotes, on one line: other bytes than printable ASCII as \xHH, a long text cut.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace tercel::config
