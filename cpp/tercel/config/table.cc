#include "tercel/config/table.h"

#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <utility>

namespace tercel::config {
namespace {

std::span<const std::string_view> names(Interface) {
  return kInterfaceNames;
}
std::span<const std::string_view> names(Lifespan) {
  return kLifespanNames;
}
std::span<const std::string_view> names(LoopKind) {
  return kLoopNames;
}
std::span<const std::string_view> names(Dispatch) {
  return kDispatchNames;
}
std::span<const std::string_view> names(TlsVersion) {
  return kTlsVersionNames;
}
std::span<const std::string_view> names(CertReqs) {
  return kCertReqsNames;
}
std::span<const std::string_view> names(WebSockets) {
  return kWebSocketsNames;
}
std::span<const std::string_view> names(HttpVersions) {
  return kHttpVersionsNames;
}
std::span<const std::string_view> names(LogLevel) {
  return kLogLevelNames;
}

std::string range_text(const Row& row) {
  const auto shown = [&row](std::uint64_t value) {
    if (kind(row) == Kind::kBytes) return format(Bytes{value});
    if (kind(row) == Kind::kSeconds) return format(Duration{value});
    return std::to_string(value);
  };
  if (row.max == UINT64_MAX) return "of at least " + shown(row.min);
  return "from " + shown(row.min) + " to " + shown(row.max);
}

std::string number_text(const Row& row, std::string_view what) {
  std::string out = std::string{what} + ' ' + range_text(row);
  // Where the range has it, it is not one more possibility.
  if (row.zero.empty()) return out;
  return out + (row.min == 0 ? ", where 0 means " : ", or 0 for ") + std::string{row.zero};
}

std::string choice_text(const Row& row) {
  std::string out = "one of ";
  for (const std::string_view choice : choices(row)) {
    if (choice != choices(row).front()) out += ", ";
    out += choice;
  }
  return out;
}

}  // namespace

const Row* find(std::string_view name) noexcept {
  const auto same = [](char a, char b) { return a == b || (a == '-' && b == '_'); };
  for (const Row& row : table()) {
    if (std::equal(row.name.begin(), row.name.end(), name.begin(), name.end(), same)) return &row;
  }
  return nullptr;
}

Kind kind(const Row& row) noexcept {
  // In the order of Member; from kInterface on, every alternative is a choice.
  constexpr std::array kKinds{Kind::kFlag,    Kind::kToggle, Kind::kCount, Kind::kBytes,
                              Kind::kSeconds, Kind::kMode,   Kind::kText,  Kind::kList};
  return row.member.index() < kKinds.size() ? kKinds[row.member.index()] : Kind::kChoice;
}

std::span<const std::string_view> choices(const Row& row) {
  return std::visit(
      [](auto member) -> std::span<const std::string_view> {
        using T = std::remove_cvref_t<decltype(std::declval<const Settings&>().*member)>;
        if constexpr (std::is_enum_v<T> && !std::is_same_v<T, Toggle>) return names(T{});
        return {};
      },
      row.member);
}

std::string must_be(const Row& row) {
  switch (kind(row)) {
    case Kind::kFlag:
      return "true or false";
    case Kind::kToggle:
      return "auto, true or false";
    case Kind::kCount:
      return number_text(row, "a whole number");
    case Kind::kBytes:
      return number_text(row, "a size such as 4096, 64KiB or 1MiB,");
    case Kind::kSeconds:
      return number_text(row, "a time in seconds such as 30, 0.5, 500ms or 5min,");
    case Kind::kMode:
      return "octal permissions such as 0660";
    case Kind::kText:
    case Kind::kList:
      return row.rule != nullptr ? std::string{row.rule->must_be} : "a text";
    case Kind::kChoice:
      return choice_text(row);
  }
  return {};
}

std::string_view name(Group group) noexcept {
  constexpr std::array<std::string_view, 12> kNames{"application", "listen",  "tls",    "proxy",
                                                    "run",         "workers", "limits", "timeouts",
                                                    "websocket",   "http",    "cors",   "logs"};
  return kNames[static_cast<std::size_t>(group)];
}

std::string_view title(Group group) noexcept {
  constexpr std::array<std::string_view, 12> kTitles{"The application",
                                                     "Where to listen",
                                                     "TLS",
                                                     "Behind a proxy",
                                                     "How it runs",
                                                     "Workers",
                                                     "Limits",
                                                     "Time limits",
                                                     "WebSockets",
                                                     "Responses",
                                                     "Pages of other origins (CORS)",
                                                     "Logs"};
  return kTitles[static_cast<std::size_t>(group)];
}

std::string_view name(Kind kind) noexcept {
  constexpr std::array<std::string_view, 9> kNames{"flag", "toggle", "count", "bytes", "seconds",
                                                   "mode", "text",   "list",  "choice"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace tercel::config
