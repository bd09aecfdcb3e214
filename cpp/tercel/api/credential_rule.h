// What a request must show before its parameters and its body are looked at: credentials.
//
//   CredentialRule rule({.any_of = {{.in = In::kHeader, .name = "authorization", .scheme =
//   "bearer"}},
//                        .detail = "Bearer credentials are missing.",
//                        .challenges = {"Bearer"}});
//   const Result<bool> shown = rule.is_met(request, blocks);
//   if (shown && !*shown) rule.refuse(request, exchange, scratch); // 401
//
// It says that they are there, not what they are worth: that is the business of whoever the route
// leads to. Where a request says too much to tell (a second Authorization field, a query or cookies
// above their limits), it is met, and what reads them refuses the request.
//
// Thread: any. Cost: linear in the parts of the request that are named. Source: RFC 9110
// section 11. Tested by credential_rule_test.cc.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "tercel/api/parameter.h"
#include "tercel/base/block_pool.h"
#include "tercel/base/result.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"
#include "tercel/json/writer.h"

namespace tercel::api {

// Where credentials stand. Of a query, a header field or a cookie.
struct Credential {
  In in = In::kHeader;
  std::string name;         // Of a header field in lower case.
  std::string scheme = {};  // The word before them in the field, in lower case; empty: none.
};

struct CredentialRuleOptions {
  std::vector<Credential> any_of;            // One is enough.
  std::string detail;                        // Of the problem document.
  std::vector<std::string> challenges = {};  // Each is a WWW-Authenticate field: up to 16.
};

class CredentialRule {
 public:
  explicit CredentialRule(CredentialRuleOptions options) : options_{std::move(options)} {}
  CredentialRule(const CredentialRule&) = delete;
  CredentialRule& operator=(const CredentialRule&) = delete;

  // Off: every request meets it.
  void set_enabled(bool enabled) noexcept { enabled_.store(enabled, std::memory_order_relaxed); }

  // Fails with kNoMemory.
  [[nodiscard]] Result<bool> is_met(const http::Request& request, BlockPool& blocks) const noexcept;
  // Answers with 401. `scratch` is emptied.
  void refuse(const http::Request& request, http::Exchange& exchange,
              json::Writer& scratch) const noexcept;

 private:
  CredentialRuleOptions options_;
  std::atomic<bool> enabled_{true};
};

}  // namespace tercel::api
