#include "options.h"

#include <charconv>

#include "message.h"
#include "tercel/base/parse_number.h"

namespace tercel::load {
namespace {

std::optional<ModeName> mode_of(std::string_view name) {
  if (name == "http") return ModeName::kHttp;
  if (name == "websocket") return ModeName::kWebSocket;
  if (name == "broadcast") return ModeName::kBroadcast;
  if (name == "idle") return ModeName::kIdle;
  return {};
}

// Each sets `into` and returns whether `text` is a value for it.
template <typename Integer>
bool read_count(std::string_view text, std::uint64_t min, std::uint64_t max, Integer& into) {
  const Result<std::uint64_t> value = parse_decimal(text, max);
  if (!value || *value < min) return false;
  into = static_cast<Integer>(*value);
  return true;
}

bool read_positive(std::string_view text, double& into) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, into, std::chars_format::fixed);
  // Above this, nanoseconds overflow.
  return error == std::errc{} && stop == end && into > 0 && into < 1e9;
}

bool read_seconds(std::string_view text, std::chrono::nanoseconds& into) {
  double seconds = 0;
  if (!read_positive(text, seconds)) return false;
  into = std::chrono::nanoseconds{static_cast<std::int64_t>(seconds * 1e9)};
  return true;
}

bool set_flag(std::string_view name, Options& options) {
  bool* const flag = name == "--numbered"    ? &options.numbered
                     : name == "--binary"    ? &options.binary
                     : name == "--websocket" ? &options.websocket
                     : name == "--wait"      ? &options.wait
                                             : nullptr;
  if (flag != nullptr) *flag = true;
  return flag != nullptr;
}

bool is_target(std::string_view text) {
  return text.starts_with('/') && text.find_first_of(" \t\r\n#") == std::string_view::npos;
}

bool set_value(std::string_view name, std::string_view value, Options& options,
               std::string_view& host, std::uint16_t& port) {
  if (name == "--host") {
    host = value;
    return true;
  }
  if (name == "--target") {
    options.target = value;
    return is_target(value);
  }
  if (name == "--expect-body") {
    options.body = value;
    return true;
  }
  if (name == "--port") return read_count(value, 1, UINT16_MAX, port);
  if (name == "--connections") return read_count(value, 1, 1'000'000, options.connections);
  if (name == "--seconds") return read_seconds(value, options.duration);
  if (name == "--requests") return read_count(value, 1, UINT64_MAX, options.requests_max);
  if (name == "--rate") return read_positive(value, options.rate);
  if (name == "--timeout") return read_seconds(value, options.timeout);
  if (name == "--sources") return read_count(value, 1, 250, options.sources);
  if (name == "--expect-status") return read_count(value, 200, 599, options.status);
  if (name == "--first-number") return read_count(value, 0, UINT64_MAX / 2, options.first_number);
  if (name == "--bytes") {
    return read_count(value, kMessageBytesMin, kMessageBytesMax, options.message_bytes);
  }
  return false;
}

}  // namespace

std::optional<Options> parse_options(int argc, char** argv, std::string& problem) {
  Options options;
  const std::optional<ModeName> mode = argc > 1 ? mode_of(argv[1]) : std::nullopt;
  if (!mode) {
    problem = "the first argument must be http, websocket, broadcast or idle";
    return {};
  }
  options.mode = *mode;
  std::string_view host = "127.0.0.1";
  std::uint16_t port = 0;
  for (int i = 2; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (set_flag(name, options)) continue;
    if (i + 1 == argc || !set_value(name, argv[i + 1], options, host, port)) {
      problem = "not an option with a value: " + std::string{name};
      return {};
    }
    ++i;
  }
  const Result<Address> server = parse_ip(host, port);
  if (!server || port == 0) {
    problem = "--port is a number from 1 to 65535, --host an address";
    return {};
  }
  options.server = *server;
  return options;
}

}  // namespace tercel::load
