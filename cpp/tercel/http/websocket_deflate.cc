#include "tercel/http/websocket_deflate.h"

#include <algorithm>

#include "tercel/base/parse_number.h"
#include "tercel/codec/deflate.h"
#include "tercel/http/chars.h"

namespace tercel::http {
namespace {

constexpr std::string_view kServerTakeover = "server_no_context_takeover";
constexpr std::string_view kClientTakeover = "client_no_context_takeover";
constexpr std::string_view kServerWindow = "server_max_window_bits";
constexpr std::string_view kClientWindow = "client_max_window_bits";
constexpr int kOfferedBitsMin = 8;

// Reads the value of a Sec-WebSocket-Extensions field.
class ExtensionReader {
 public:
  explicit ExtensionReader(std::string_view text) noexcept : text_{text} {}

  [[nodiscard]] bool at_end() noexcept {
    skip_blanks();
    return text_.empty();
  }
  // Takes `c`, if it is next.
  [[nodiscard]] bool take(char c) noexcept {
    skip_blanks();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Empty: no token is next.
  [[nodiscard]] std::string_view token() noexcept {
    skip_blanks();
    std::size_t size = 0;
    while (size < text_.size() && kToken.has(text_[size])) ++size;
    const std::string_view found = text_.substr(0, size);
    text_.remove_prefix(size);
    return found;
  }
  // A token, or a token in quotes. Empty: neither is next.
  [[nodiscard]] std::string_view value() noexcept {
    if (!take('"')) return token();
    const std::string_view found = token();
    return text_.starts_with('"') && take('"') ? found : std::string_view{};
  }

 private:
  void skip_blanks() noexcept {
    while (!text_.empty() && is_blank(text_.front())) text_.remove_prefix(1);
  }
  std::string_view text_;
};

struct Parameter {
  std::string_view name;
  std::string_view value;
  bool has_value = false;
};

// The window that a parameter names, or 0: no such window.
int read_bits(std::string_view value) noexcept {
  if (value.empty() || value.front() == '0') return 0;
  const auto bits = parse_decimal(value, codec::kWindowBitsMax);
  return bits && *bits >= kOfferedBitsMin ? static_cast<int>(*bits) : 0;
}

// One offer of permessage-deflate, parameter by parameter.
class Offer {
 public:
  explicit Offer(const DeflateOptions& options) noexcept : options_{options} {}

  void note(const Parameter& parameter) noexcept {
    if (parameter.name == kServerTakeover) return note_flag(server_drops_, parameter);
    if (parameter.name == kClientTakeover) return note_flag(client_drops_, parameter);
    if (parameter.name == kServerWindow) return note_bits(server_bits_, parameter, 0);
    if (parameter.name == kClientWindow) {
      return note_bits(client_bits_, parameter, codec::kWindowBitsMax);
    }
    acceptable_ = false;
  }

  [[nodiscard]] std::optional<DeflateTerms> terms() const noexcept {
    // zlib has no window of 8 bits to compress with.
    const int server_bits = server_bits_ != 0 ? server_bits_ : codec::kWindowBitsMax;
    if (!acceptable_ || server_bits < codec::kWindowBitsMin) return std::nullopt;
    const auto ours = [this](int offered) { return std::min(offered, options_.window_bits); };
    DeflateTerms terms;
    terms.server = {.window_bits = ours(server_bits),
                    .takeover = options_.takeover && !server_drops_};
    terms.client.takeover = options_.takeover && !client_drops_;
    terms.names_client_window = client_bits_ != 0;
    if (terms.names_client_window) terms.client.window_bits = ours(client_bits_);
    return terms;
  }

 private:
  void note_flag(bool& flag, const Parameter& parameter) noexcept {
    if (flag || parameter.has_value) acceptable_ = false;
    flag = true;
  }
  // `without`: what a parameter without a value means.
  void note_bits(int& bits, const Parameter& parameter, int without) noexcept {
    if (bits != 0) acceptable_ = false;
    bits = parameter.has_value ? read_bits(parameter.value) : without;
    if (bits == 0) acceptable_ = false;
  }

  const DeflateOptions& options_;
  bool acceptable_ = true;
  bool server_drops_ = false;
  bool client_drops_ = false;
  int server_bits_ = 0;
  int client_bits_ = 0;
};

// Reads the parameters behind the name of an extension. False: malformed.
bool read_parameters(ExtensionReader& reader, Offer& offer) noexcept {
  while (reader.take(';')) {
    Parameter parameter{.name = reader.token(), .value = {}};
    if (parameter.name.empty()) return false;
    if (reader.take('=')) {
      parameter.has_value = true;
      parameter.value = reader.value();
      if (parameter.value.empty()) return false;
    }
    offer.note(parameter);
  }
  return true;
}

// One field. False: malformed.
bool read_field(std::string_view value, const DeflateOptions& options,
                std::optional<DeflateTerms>& terms) noexcept {
  ExtensionReader reader{value};
  while (!reader.at_end()) {
    if (reader.take(',')) continue;  // An empty element: RFC 9110 section 5.6.1.2.
    const std::string_view name = reader.token();
    Offer offer{options};
    if (name.empty() || !read_parameters(reader, offer)) return false;
    if (!reader.at_end() && !reader.take(',')) return false;
    if (!terms && name == "permessage-deflate") terms = offer.terms();
  }
  return true;
}

char* append(char* out, std::string_view text) noexcept {
  return std::ranges::copy(text, out).out;
}

char* append_bits(char* out, std::string_view name, int bits) noexcept {
  out = append(append(append(out, "; "), name), "=");
  if (bits >= 10) *out++ = '1';
  *out++ = static_cast<char>('0' + bits % 10);
  return out;
}

}  // namespace

Result<std::optional<DeflateTerms>> agree_on_deflate(std::span<const Field> fields,
                                                     const DeflateOptions& options) noexcept {
  std::optional<DeflateTerms> terms;
  for (const Field& field : fields) {
    if (field.name != "sec-websocket-extensions") continue;
    if (!read_field(field.value, options, terms)) return fail(Errc::kBadHandshake);
  }
  if (!options.enabled || !terms || !codec::deflate_available()) terms.reset();
  return terms;
}

std::string_view write_deflate_answer(char* out, const DeflateTerms& terms) noexcept {
  char* at = append(out, "permessage-deflate");
  if (!terms.server.takeover) at = append(append(at, "; "), kServerTakeover);
  if (!terms.client.takeover) at = append(append(at, "; "), kClientTakeover);
  if (terms.server.window_bits < codec::kWindowBitsMax) {
    at = append_bits(at, kServerWindow, terms.server.window_bits);
  }
  if (terms.names_client_window) at = append_bits(at, kClientWindow, terms.client.window_bits);
  return {out, at};
}

}  // namespace tercel::http
