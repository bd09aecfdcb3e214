#include "tercel/edge/log_format.h"

#include <algorithm>
#include <array>

namespace tercel::edge {
namespace {

constexpr AtomRow kAtoms[] = {
    {"%h", Atom::kClientHost,
     "address of the client, behind a trusted proxy the one that it names; `unix:` on a "
     "Unix socket"},
    {"%{remote}p", Atom::kClientPort, "port of the client; 0 when a proxy does not tell it"},
    {"%A", Atom::kLocalHost, "address the client connected to"},
    {"%p", Atom::kLocalPort, "port the client connected to"},
    {"%l", Atom::kNothing, "always `-`: the identity of RFC 1413, which nobody asks for"},
    {"%u", Atom::kNothing, "always `-`: the user, whom the application knows"},
    {"%t", Atom::kTimeCommon,
     "time at which the head of the request was complete: `[10/Oct/2000:13:55:36 +0200]`"},
    {"%{iso}t", Atom::kTimeIso, "that time as `2000-10-10T13:55:36+02:00`"},
    {"%{unix}t", Atom::kTimeUnix, "that time in seconds since 1970"},
    {"%r", Atom::kRequestLine,
     "request line: method, target and protocol; of a request that was refused for its head, "
     "what of it was in order"},
    {"%m", Atom::kMethod, "method"},
    {"%R", Atom::kTarget, "target: path and query, as they came"},
    {"%U", Atom::kPath, "path, without the query"},
    {"%q", Atom::kQuery, "query with its `?`, or nothing"},
    {"%H", Atom::kProtocol, "protocol: `HTTP/1.1`"},
    {"%V", Atom::kAuthority, "host and port that the client asked for"},
    {"%{name}i", Atom::kHeader, "the header field of that name"},
    {"%s", Atom::kStatus,
     "status that was sent; 499 when the client left before that, `-` when the request was cut "
     "off before that"},
    {"%>s", Atom::kStatus, "as `%s`"},
    {"%B", Atom::kBytes, "bytes of the response body, without its framing"},
    {"%b", Atom::kBytesOrDash, "as `%B`, but `-` for none"},
    {"%D", Atom::kMicroseconds,
     "duration in microseconds, from the complete head of the request to the end of the "
     "response, the wait of `--limit-concurrency` included"},
    {"%{ms}T", Atom::kMilliseconds, "duration in milliseconds, with three decimals"},
    {"%T", Atom::kSeconds, "duration in seconds, with six decimals"},
    {"%X", Atom::kOutcome,
     "how the response ended: `complete`, the whole of it was sent; `client-gone`, the client left "
     "before that; `aborted`, the application or the server ended it before that"},
    {"%E", Atom::kError,
     "[error](errors.md) for which the server answered in place of the application, or ended "
     "the request"},
    {"%P", Atom::kProcess, "process id"},
    {"%%", Atom::kLiteral, "a percent sign"},
};

constexpr std::string_view kCommon = R"(%h %l %u %t "%r" %s %b)";
constexpr std::string_view kTimed = R"(%h %l %u %t "%r" %s %b %{ms}Tms)";
constexpr std::string_view kCombined = R"(%h %l %u %t "%r" %s %b "%{referer}i" "%{user-agent}i")";
constexpr std::string_view kJson =
    R"({"time":%{iso}t,"client":%h,"method":%m,"target":%R,"protocol":%H,"host":%V,)"
    R"("status":%s,"body_bytes":%B,"duration_ms":%{ms}T,"outcome":%X,"error":%E,)"
    R"("referer":%{referer}i,"user_agent":%{user-agent}i})";

constexpr NamedFormat kNamed[] = {
    {"timed", kTimed, Escape::kText},
    {"common", kCommon, Escape::kText},
    {"combined", kCombined, Escape::kText},
    {"json", kJson, Escape::kJson},
};

// Fields whose values let their reader in. A log is read by more people than a request.
constexpr std::array<std::string_view, 3> kSecrets{"authorization", "cookie",
                                                   "proxy-authorization"};

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// The name of "%{name}i" at the start of `text`, or nothing.
std::optional<std::string> header_name(std::string_view text) {
  const std::size_t end = text.find("}i");
  if (!text.starts_with("%{") || end == std::string_view::npos) return std::nullopt;
  std::string name = lower(text.substr(2, end - 2));
  constexpr std::string_view kToken = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
  if (name.empty() || name.find_first_not_of(kToken) != std::string::npos) return std::nullopt;
  return name;
}

// The row whose spelling `text` begins with, or null.
const AtomRow* row_at(std::string_view text) {
  for (const AtomRow& row : kAtoms) {
    if (row.atom != Atom::kHeader && text.starts_with(row.spelling)) return &row;
  }
  return nullptr;
}

// What of `text` to show as the atom that is not known. Format strings are the operator's, but a
// control byte in one must not reach a terminal.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, std::min<std::size_t>(text.size(), 12))) {
    if (out.size() > 1 && c == '%') break;
    out += c >= ' ' && c <= '~' ? c : '?';
  }
  return out;
}

}  // namespace

std::span<const AtomRow> atom_table() noexcept {
  return kAtoms;
}

std::span<const NamedFormat> named_formats() noexcept {
  return kNamed;
}

void LogFormat::add(Atom atom, std::string_view text) {
  const bool joins = atom == Atom::kLiteral && !parts_.empty() && parts_.back().atom == atom;
  if (joins) {
    parts_.back().text += text;
  } else {
    parts_.push_back({atom, std::string{text}});
  }
}

std::optional<LogFormat> LogFormat::parse(std::string_view text, std::string& problem) {
  LogFormat format;
  for (const NamedFormat& named : kNamed) {
    if (text != named.name) continue;
    text = named.format;
    format.escape_ = named.escape;
  }
  if (text.find('%') == std::string_view::npos) {
    problem = "must be timed, common, combined, json, or a format string with atoms such as %h.";
    return std::nullopt;
  }
  if (text.find_first_of("\r\n") != std::string_view::npos) {
    problem = "must be one line.";
    return std::nullopt;
  }
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('%'), text.size());
    if (plain > 0) format.add(Atom::kLiteral, text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (const AtomRow* row = row_at(text)) {
      format.add(row->atom, row->atom == Atom::kLiteral ? "%" : "");
      text.remove_prefix(row->spelling.size());
      continue;
    }
    const auto name = header_name(text);
    if (!name) {
      problem = "has an unknown atom \"" + shown(text) +
                "\": the atoms are listed in the "
                "reference of the access log.";
      return std::nullopt;
    }
    if (std::find(kSecrets.begin(), kSecrets.end(), *name) != kSecrets.end()) {
      problem = "asks for the header field " + *name + ", which is a secret: leave it out.";
      return std::nullopt;
    }
    format.add(Atom::kHeader, *name);
    text.remove_prefix(text.find("}i") + 2);
  }
  return format;
}

}  // namespace tercel::edge
