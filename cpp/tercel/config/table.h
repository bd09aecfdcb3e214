// The one table of settings: what each is called, may be, and means.
//
// From it come the command line, the keyword arguments of tercel.serve(), the TERCEL_* variables,
// the TOML file and docs/reference/settings.md. The name `timeout-keep-alive` is an option; with
// underscores it is the keyword and the TOML key, and in capitals TERCEL_TIMEOUT_KEEP_ALIVE.
// Names are uvicorn's where uvicorn has the same setting.
// Tested by table_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "tercel/config/settings.h"

namespace tercel::config {

// The type of a setting is the type of the member it is stored in.
using Member = std::variant<bool Settings::*, Toggle Settings::*, std::uint64_t Settings::*,
                            Bytes Settings::*, Duration Settings::*, FileMode Settings::*,
                            std::string Settings::*, Texts Settings::*, Interface Settings::*,
                            Lifespan Settings::*, LoopKind Settings::*, Dispatch Settings::*,
                            TlsVersion Settings::*, CertReqs Settings::*, WebSockets Settings::*,
                            HttpVersions Settings::*, LogLevel Settings::*>;

enum class Kind : std::uint8_t {
  kFlag,    // bool
  kToggle,  // Toggle
  kCount,
  kBytes,
  kSeconds,
  kMode,
  kText,
  kList,   // Texts: the option is repeatable.
  kChoice  // One of choices().
};

enum class Group : std::uint8_t {
  kApplication,
  kListen,
  kTls,
  kProxy,
  kRun,
  kWorkers,
  kLimits,
  kTimeouts,
  kWebSocket,
  kHttp,
  kCors,
  kLogs
};

// Who can use a setting.
enum class Where : std::uint8_t {
  kServer,  // Everybody, tercel.Server in a running loop included.
  kProcess  // Who starts the process or its loop: the command line and tercel.serve().
};

// What a text must be beyond its type.
struct Rule {
  bool (*accepts)(std::string_view text);
  std::string_view must_be;  // "--host must be ..."
};

struct Row {  // NOLINT(clang-analyzer-optin.performance.Padding): in the order rows are written.
  std::string_view name;
  Group group;
  Member member;
  std::string_view help;           // Sentences.
  std::uint64_t min = 0;           // Of counts, bytes, and durations in milliseconds, inclusive.
  std::uint64_t max = UINT64_MAX;  // As min.
  std::string_view zero = {};      // What 0, also written "off", means if min forbids or bends it.
  std::string_view unit = {};      // Of counts and rates, where the kind does not say it.
  const Rule* rule = nullptr;      // Of texts, and of each text of a list.
  char separator = ',';            // Between the texts of a list, where only one text fits.
  Where where = Where::kServer;
};

// In the order of the reference page: by group, then by importance.
[[nodiscard]] std::span<const Row> table() noexcept;

// The row of a name, written with '-' or '_'; nullptr when there is none.
[[nodiscard]] const Row* find(std::string_view name) noexcept;

[[nodiscard]] Kind kind(const Row& row) noexcept;
// What people write for each enumerator of a choice; empty for other kinds.
[[nodiscard]] std::span<const std::string_view> choices(const Row& row);

// "true or false", "a whole number from 0 to 65535", "one of auto, asgi3": completes "must be".
[[nodiscard]] std::string must_be(const Row& row);

// Names for people and for the binding: "limits", "count".
[[nodiscard]] std::string_view name(Group group) noexcept;
[[nodiscard]] std::string_view title(Group group) noexcept;
[[nodiscard]] std::string_view name(Kind kind) noexcept;

}  // namespace tercel::config
