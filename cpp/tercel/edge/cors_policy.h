// Which pages of other origins may read what a server answers: what CORS asks, and its answers.
//
//   CorsOptions options{.origins = {"https://app.example.com", "https://*.example.org"}};
//   if (const auto problem = CorsPolicy::problem_of(options)) ... *problem is a sentence
//   const CorsPolicy policy{options};
//   policy.allow("https://a.example.org");  // What Access-Control-Allow-Origin says.
//
// An origin is compared byte by byte with what the browser sends: scheme, host in lower case, and
// the port if it is not that of the scheme. `https://*.example.com` stands for every host below
// example.com, however deep, and not for that one itself. `null`, which a browser says for a file
// and for a sandboxed frame of anybody's, is allowed only where it is named.
//
// Browsers know no patterns of names: what `x-app-*` stands for is spelled out to them, as the
// names that a preflight asks about, or that an answer has.
//
// `*` and `null` with credentials are refused: every page could act as whoever looks at it.
//
// A value that does not change. Cost: a comparison for each origin. Source: Fetch standard, "CORS
// protocol" (HTTP requests, HTTP responses, HTTP new-header syntax, CORS protocol and HTTP
// caches) and "CORS check"; WICG Private Network Access, "Integration with Fetch"; RFC 6454
// section 6.2. Tested by cors_policy_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/http/message.h"

namespace tercel::edge {

struct CorsOptions {
  std::vector<std::string> origins;
  // What a preflight is told, besides what needs none. `*`: whatever it asks for.
  std::vector<std::string> methods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  // Fields that a page may send, and read, besides the usual ones. `x-app-*`: all that begin so.
  std::vector<std::string> headers = {};
  std::vector<std::string> expose = {};
  std::uint32_t max_age_seconds = 600;  // How long a browser may keep what a preflight was told.
  bool credentials = false;             // Cookies and the like may be sent along.
  bool private_network = false;         // Pages of public networks may ask a private one.
};

class CorsPolicy {
 public:
  // A longer origin is not that of a host.
  static constexpr std::size_t kOriginBytesMax = 288;
  static constexpr std::uint32_t kMaxAgeSecondsMax = 86'400;  // No browser keeps it for longer.
  static constexpr std::size_t kFieldsMax = 4;
  static constexpr std::size_t kPreflightFieldsMax = 7;
  static constexpr std::size_t kExposeBytesMax = 2048;  // Of names that patterns stand for.

  // Where the fields of an answer are made.
  struct Room {
    std::array<http::Field, kFieldsMax> fields;
    std::array<char, kExposeBytesMax> names;
  };

  // Nothing, or one sentence that says what to change.
  [[nodiscard]] static std::optional<std::string> problem_of(const CorsOptions& options);

  // REQUIRES: there is no problem.
  explicit CorsPolicy(const CorsOptions& options);

  // What Access-Control-Allow-Origin says to `origin`; empty: that field is left out, and the
  // browser refuses. A view of this object, or of `origin`.
  [[nodiscard]] std::string_view allow(std::string_view origin) const noexcept;

  // The fields to add to an answer that has `present`, for what allow() returned. One that names
  // an origin by itself is the application's own business, and gets no more than Vary. Valid as
  // long as `into`, `allowed` and this object.
  [[nodiscard]] std::span<const http::Field> fields(std::string_view allowed,
                                                    std::span<const http::Field> present,
                                                    Room& into) const noexcept;

  // Whether a browser asks if it may ask.
  [[nodiscard]] static bool is_preflight(const http::Request& request) noexcept;
  // Whether all that it asks for is allowed: origin, method and header fields.
  [[nodiscard]] bool grants(const http::Request& preflight) const noexcept;
  [[nodiscard]] bool allows_method(std::string_view method) const noexcept;
  // The fields of the answer, which is 204. Valid as above, and as long as the request.
  [[nodiscard]] std::span<const http::Field> preflight_fields(
      const http::Request& request,
      std::array<http::Field, kPreflightFieldsMax>& into) const noexcept;

 private:
  // Every host below one.
  struct Below {
    std::string before;  // "https://"
    std::string behind;  // ".example.com:8443"
  };

  // Names of fields, in whatever case.
  class Names {
   public:
    explicit Names(const std::vector<std::string>& patterns);
    [[nodiscard]] bool has(std::string_view name) const noexcept;
    [[nodiscard]] bool is_of_pattern(std::string_view name) const noexcept;
    [[nodiscard]] bool has_all(std::string_view list) const noexcept;
    // Those that are spelled out, as a field has them; "*": any.
    [[nodiscard]] const std::string& joined() const noexcept { return joined_; }
    [[nodiscard]] bool any() const noexcept { return any_; }
    [[nodiscard]] bool has_patterns() const noexcept { return !beginnings_.empty(); }

   private:
    std::vector<std::string> exact_;       // In lower case.
    std::vector<std::string> beginnings_;  // "x-app-"
    std::string joined_;
    bool any_;
  };

  [[nodiscard]] std::string_view spell_out(std::span<const http::Field> present,
                                           std::span<char> into) const noexcept;

  std::vector<std::string> exact_;
  std::vector<Below> below_;
  std::vector<std::string> method_names_;
  std::string methods_;  // As a field has it; "*": the one that is asked for.
  Names headers_;
  Names expose_;
  std::string max_age_;
  bool any_ = false;
  bool credentials_;
  bool private_network_;
};

// Caches are told already that an answer is for one origin.
[[nodiscard]] bool varies_by_origin(std::span<const http::Field> fields) noexcept;

}  // namespace tercel::edge
