// What the rules of a bucket say of the page that makes a request: whether it may read the answer.
//
//   CrossOrigin cors;                                     // Of one request.
//   if (!cors.read(request, rules)) return refuse(kSlowDown);
//   for (const http::Field& field : cors.fields(answer.fields, room)) ...
//
// As S3 does it: of a bucket's rules the first counts whose origins and methods fit; for a
// preflight, whose header fields do, too. Where there are rules, every answer of the bucket varies
// with Origin: what a cache keeps of a request without one has nothing that lets a page read it.
//
// Resource. Rules outlive it; they are policies of edge/cors_policy.h. Thread: the loop's. Cost: a
// search for Origin, where there are rules. Source: Fetch standard, "CORS protocol"; AWS, "Testing
// CORS". Tested by cross_origin_test.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tercel/edge/cors_policy.h"
#include "tercel/http/message.h"

namespace tercel::gateway {

class CrossOrigin {
 public:
  CrossOrigin() noexcept = default;
  CrossOrigin(const CrossOrigin&) = delete;
  CrossOrigin& operator=(const CrossOrigin&) = delete;

  // False: memory is exhausted.
  [[nodiscard]] bool read(const http::Request& request,
                          std::span<const edge::CorsPolicy> rules) noexcept;
  // The rule that a preflight asks for, and gets. Null: there is none.
  [[nodiscard]] static const edge::CorsPolicy* granted(
      const http::Request& preflight, std::span<const edge::CorsPolicy> rules) noexcept;

  // There are rules: what the backend says of other origins does not count.
  [[nodiscard]] bool has_rules() const noexcept { return has_rules_; }
  // To be added to an answer that has `present`. Valid as long as this and `room`.
  [[nodiscard]] std::span<const http::Field> fields(std::span<const http::Field> present,
                                                    edge::CorsPolicy::Room& room) const noexcept;

 private:
  const edge::CorsPolicy* rule_ = nullptr;  // Null: no page may read the answer.
  std::string_view allowed_;                // As Access-Control-Allow-Origin says it.
  std::string origin_;                      // Where allowed_ is of the request, which goes before.
  bool has_rules_ = false;
};

}  // namespace tercel::gateway
