// What a line of the access log consists of, compiled from a format string.
//
//   std::string problem;
//   auto format = LogFormat::parse("%h %t \"%r\" %s %b", problem);
//
// The atoms are those of Apache's mod_log_config as far as they make sense here, and a few more;
// docs/reference/access-log.md is generated from their table. A value; compiled once, at start.
// Tested by log_format_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/edge/log_line.h"

namespace tercel::edge {

enum class Atom : std::uint8_t {
  // Known when the request has been read: kept with it until its line is written.
  kClientHost,
  kClientPort,
  kLocalHost,
  kLocalPort,
  kTimeCommon,
  kTimeIso,
  kTimeUnix,
  kRequestLine,
  kMethod,
  kTarget,
  kPath,
  kQuery,
  kProtocol,
  kAuthority,
  kHeader,  // LogFormat::Part::text is its name, in lower case.
  // Known when the response is complete.
  kStatus,
  kBytes,
  kBytesOrDash,
  kMicroseconds,
  kMilliseconds,
  kSeconds,
  kOutcome,
  kError,
  // Not of a request.
  kLiteral,  // LogFormat::Part::text.
  kNothing,
  kProcess
};

// True for what must be kept from the request until its response is complete.
[[nodiscard]] constexpr bool is_of_request(Atom atom) noexcept {
  return atom <= Atom::kHeader;
}
// True for what came from outside: it is escaped, and of limited length.
[[nodiscard]] constexpr bool is_text(Atom atom) noexcept {
  return atom <= Atom::kHeader && atom != Atom::kTimeUnix && atom != Atom::kClientPort &&
         atom != Atom::kLocalPort;
}

// One way to write an atom in a format string, for the parser and the reference page.
struct AtomRow {
  std::string_view spelling;
  Atom atom;
  std::string_view meaning;
};
[[nodiscard]] std::span<const AtomRow> atom_table() noexcept;

// A format that has a name.
struct NamedFormat {
  std::string_view name;
  std::string_view format;
  Escape escape;
};
[[nodiscard]] std::span<const NamedFormat> named_formats() noexcept;

class LogFormat {
 public:
  struct Part {
    Atom atom;
    std::string text;
    bool operator==(const Part&) const = default;
  };

  // `text` is the name of a format or a format string. When it is neither, returns nothing, and
  // `problem` says why: it completes the sentence "access-log-format ...".
  [[nodiscard]] static std::optional<LogFormat> parse(std::string_view text, std::string& problem);

  [[nodiscard]] std::span<const Part> parts() const noexcept { return parts_; }
  [[nodiscard]] Escape escape() const noexcept { return escape_; }

 private:
  void add(Atom atom, std::string_view text = {});

  std::vector<Part> parts_;
  Escape escape_ = Escape::kText;
};

}  // namespace tercel::edge
