// Puts values into Settings by the rows of the table, and takes them out.
//
// Every source of settings (command line, keyword, environment, TOML) passes through assign(), so
// a value is accepted or refused in the same way wherever it was written.
// Tested by assign_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tercel/config/problem.h"
#include "tercel/config/table.h"

namespace tercel::config {

// Reads `texts` into the setting of `row`: exactly one text, or any number for a list, which
// replaces what was there. `label` is what the person wrote: "--port", "TERCEL_PORT". On a problem
// `settings` is unchanged.
[[nodiscard]] Problem assign(Settings& settings, const Row& row,
                             std::span<const std::string_view> texts, std::string_view label);

// The texts of a list that was written as one: split at row.separator, white space around each and
// empty ones dropped. One empty text when there is nothing else, for assign() to refuse: a variable
// that is not set in a shell is not a wish for the default. For other kinds the text itself.
[[nodiscard]] std::vector<std::string_view> split(const Row& row, std::string_view text);

// A value without its type: a size is a count, a duration is in seconds, a choice is its text, and
// a toggle that is kAuto is monostate.
using Value = std::variant<std::monostate, bool, std::uint64_t, double, std::string, Texts>;
[[nodiscard]] Value value_of(const Settings& settings, const Row& row);

// The texts that assign() reads back to the same value: one, or those of the list. The one of a
// text that is not set is empty, which assign() may refuse.
[[nodiscard]] Texts texts_of(const Settings& settings, const Row& row);

}  // namespace tercel::config
