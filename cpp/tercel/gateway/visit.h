// One request of a client, from its head to the end of its answer.
//
// Read, verified, asked about, signed for its backend, and relayed; or refused on the way, with the
// document that S3 clients know. What a policy is asked takes time: the request is copied then, and
// read again when there is an answer. Nothing of the body is taken from the client before all of
// that is over, so that one that waits for `100 Continue` sends none in vain. Resource: lives in
// its station, from begin() to the end of the exchange. Thread: the loop's. Tested by
// tests/python/test_s3_gateway.py.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tercel/base/address.h"
#include "tercel/base/block_pool.h"
#include "tercel/base/shared_const.h"
#include "tercel/gateway/answer_cache.h"
#include "tercel/gateway/attempts.h"
#include "tercel/gateway/audit_log.h"
#include "tercel/gateway/body_filters.h"
#include "tercel/gateway/collected_body.h"
#include "tercel/gateway/config.h"
#include "tercel/gateway/cross_origin.h"
#include "tercel/gateway/lease.h"
#include "tercel/gateway/question.h"
#include "tercel/gateway/response_rewriter.h"
#include "tercel/gateway/station.h"
#include "tercel/http/handler.h"
#include "tercel/proxy/relay.h"
#include "tercel/s3/error.h"
#include "tercel/s3/list_buckets.h"

namespace tercel::gateway {

class Visit final : public proxy::Rewriter, private http::Observer {
 public:
  Visit(Station& station, http::Exchange& exchange) noexcept
      : station_{station}, exchange_{exchange} {}
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  // Answers, now or later.
  void begin(const http::Request& request) noexcept;

 private:
  template <typename Value>
  class Waiter final : public AnswerCache<Value>::Waiter {
   public:
    explicit Waiter(Visit& visit) noexcept : visit_{visit} {}
    void on_answer(const SharedConst<Value>& value) noexcept override { visit_.take(value); }

   private:
    Visit& visit_;
  };

  // How many times an answer that does not count any more is asked for again.
  static constexpr std::uint8_t kAgainMax = 3;
  // How often it waits for its budgets, which others may use up meanwhile.
  static constexpr std::uint8_t kBudgetRoundsMax = 16;

  // --- the way to the backend: each step says whether to go on; if not, it waits or has answered
  void proceed(const http::Request& request) noexcept;
  [[nodiscard]] bool verify(const http::Request& request) noexcept;
  [[nodiscard]] bool is_signed_right(const http::Request& request) noexcept;
  // Below its limits (visit_limits.cc).
  [[nodiscard]] bool admit(const http::Request& request) noexcept;
  // About a budget that others share. False: nobody can be asked now.
  enum class Waits : bool { kNo, kYes };
  [[nodiscard]] bool ask_about(const edge::BudgetClaim& claim, const Caller& caller,
                               std::string_view bucket, Waits waits) noexcept;
  [[nodiscard]] bool authorize(const http::Request& request) noexcept;
  [[nodiscard]] bool is_allowed(SharedConst<Decision>& decision, const DecisionFacts& facts,
                                const http::Request& request) noexcept;
  [[nodiscard]] bool find_backend(const http::Request& request) noexcept;
  // Of one bucket, which is asked for where the configuration does not name it. Null: it waits, or
  // has answered.
  [[nodiscard]] const Backend* backend_of(std::string_view bucket,
                                          SharedConst<ResolvedBucket>& resolved,
                                          const http::Request& request) noexcept;
  [[nodiscard]] bool find_credentials(const http::Request& request) noexcept;
  void relay(const http::Request& request) noexcept;
  // Reads the body before anything is sent.
  void begin_body(const http::Request& request) noexcept;
  // Of one that comes to nothing, where no end of it can be held back until it is right, and of one
  // that is collected.
  void read_whole_body() noexcept;
  // Gives the collected body what is verified; false: it has answered.
  [[nodiscard]] bool collect(std::string_view bytes, http::Final final) noexcept;

  // --- pages of other origins (visit_cors.cc)
  [[nodiscard]] bool look_at_origin(const http::Request& request) noexcept;
  [[nodiscard]] std::span<const edge::CorsPolicy> cors_rules(const http::Request& request) noexcept;
  void answer_preflight(const http::Request& request) noexcept;

  // --- answers of our own (visit_answers.cc)
  void list_buckets(const http::Request& request) noexcept;
  void refuse(const s3::Refusal& refusal) noexcept;
  void refuse(s3::ErrorCode error) noexcept { refuse(s3::Refusal{error}); }
  void refuse_signature(const http::Request& request) noexcept;
  // With `more` besides its own fields, unless its name is empty.
  void answer_xml(std::uint16_t status, std::string_view body, http::Field more = {}) noexcept;
  [[nodiscard]] bool fails(Verdict verdict) noexcept;
  // Of what a client is answered without the backend's.
  [[nodiscard]] std::string_view own_request_id() noexcept;

  // --- the record (visit_record.cc)
  // Begins it, once, with what the station's arrival has.
  void note(const http::Request& request, Read read) noexcept;
  // The request goes to its backend; the backend answers, with that id if it has one, or fails.
  void depart() noexcept;
  void arrive(std::string_view request_id) noexcept;
  // Ends it. REQUIRES: the last call.
  void conclude(http::Outcome outcome, unsigned attempts, const http::Traffic& traffic) noexcept;

  // --- waiting for a policy
  [[nodiscard]] bool keep(const http::Request& request) noexcept;
  // False: memory is exhausted.
  [[nodiscard]] bool copy_request(const http::Request& request) noexcept;
  template <typename Value>
  void take(const SharedConst<Value>& value) noexcept;
  void store(const SharedConst<FrontKey>& key) noexcept { key_ = key; }
  void store(const SharedConst<Decision>& decision) noexcept;
  void store(const SharedConst<Credentials>& credentials) noexcept { credentials_ = credentials; }
  void store(const SharedConst<ResolvedBucket>& resolved) noexcept {
    if (wanted_bucket_ != nullptr) *std::exchange(wanted_bucket_, nullptr) = resolved;
  }
  void store(const SharedConst<Granted>& /*granted*/) noexcept {}

  // --- proxy::Rewriter (visit_relay.cc)
  [[nodiscard]] Result<void> rewrite_request(const http::Request& from, proxy::Outgoing& to,
                                             proxy::FieldDraft& draft) noexcept override;
  [[nodiscard]] bool goes_elsewhere(const http::ResponseHead& head) noexcept override;
  // Learns where the bucket is. False: it is said of nowhere that the gateway goes to.
  [[nodiscard]] bool learn_elsewhere(const http::ResponseHead& head) noexcept;
  // The bucket is not, or not any more, where a backend said that it was.
  void forget_elsewhere() noexcept {
    if (elsewhere_) station_.redirects.forget(*elsewhere_);
  }
  [[nodiscard]] Result<void> rewrite_response(const http::ResponseHead& from, http::Response& to,
                                              proxy::FieldDraft& draft) noexcept override;
  [[nodiscard]] std::optional<std::chrono::nanoseconds> after_failure(
      const proxy::FailedAttempt& failed) noexcept override;
  void refused(http::Exchange& exchange, Errc error) noexcept override;
  void broke_off(Errc error) noexcept override;
  // A write that was sent whole is meant, whoever waits for its answer; a read is for its reader.
  [[nodiscard]] bool outlives_client() const noexcept override {
    return s3::info(operation_).access == s3::Access::kWrite;
  }
  void left_alone() noexcept override { traffic_ = exchange_.traffic(); }
  void ended(http::Outcome outcome, unsigned attempts) noexcept override;

  // --- http::Observer, until the request is relayed or answered
  void on_body() noexcept override {
    if (reads_body_) read_whole_body();
  }
  void on_writable() noexcept override {}
  void on_notice(http::Notice notice) noexcept override;
  void on_end(http::Outcome outcome) noexcept override;

  Station& station_;
  http::Exchange& exchange_;
  SharedConst<Config> config_;
  Block memory_;  // Of the request, once it is kept.
  http::Request kept_;
  Station::RequestId request_id_{};  // Once it has one.
  bool is_kept_ = false;
  std::uint8_t again_ = 0;
  std::uint8_t budget_rounds_ = 0;
  bool answered_ = false;
  bool reads_body_ = false;          // Before anything is sent.
  bool body_is_verified_ = false;    // It was read, and is empty or collected.
  bool has_arrival_ = false;         // The station's is of this request: nobody else had it since.
  std::chrono::seconds arrived_{0};  // Since 1970: when the claim is judged.
  std::chrono::seconds retry_after_ = http::kRetryAfter;  // Told with 503.
  Lease lease_;
  CrossOrigin cors_;

  Waiter<FrontKey> key_waiter_{*this};
  Waiter<Decision> decision_waiter_{*this};
  Waiter<Credentials> credentials_waiter_{*this};
  Waiter<ResolvedBucket> bucket_waiter_{*this};
  Waiter<Granted> budget_waiter_{*this};
  SharedConst<FrontKey> key_;
  SharedConst<Decision> decision_;
  SharedConst<Decision> source_decision_;
  SharedConst<Decision>* wanted_ = nullptr;  // The one that is waited for.
  SharedConst<ResolvedBucket> resolved_;
  SharedConst<ResolvedBucket> source_resolved_;
  SharedConst<ResolvedBucket>* wanted_bucket_ = nullptr;  // As wanted_.
  SharedConst<Credentials> credentials_;
  const Backend* backend_ = nullptr;  // Of config_, resolved_ or elsewhere_.
  SharedConst<Backend> elsewhere_;
  const Backend* source_backend_ = nullptr;
  Attempts attempts_;
  AuditLog::Record* record_ = nullptr;
  std::chrono::nanoseconds departed_{0};  // Of the stopwatch; 0: it did not, or has an answer.
  s3::Operation operation_ = s3::Operation::kUnknown;
  bool verified_ = false;                 // The signature is that of key_.
  bool broke_off_ = false;                // The backend, in the middle of its answer.
  std::optional<http::Traffic> traffic_;  // Of an exchange that is gone.
  std::optional<s3::ErrorCode> error_;    // Of the answer that was made here.
  std::optional<s3::Refusal> refusal_;    // Why the request ended on its way.

  // Of a list of buckets.
  std::vector<SharedConst<Decision>> visible_;

  std::unique_ptr<RequestFilter> request_filter_;
  std::unique_ptr<CollectedBody> collected_;
  ResponseRewriter response_;
  // The one that can be looked at: the client's, the copy of it, or, until ended(), the relay's.
  const http::Request* request_ = nullptr;
};

static_assert(sizeof(Visit) <= 1600);

template <typename Value>
void Visit::take(const SharedConst<Value>& value) noexcept {
  if (!value && again_++ == kAgainMax) return refuse(s3::ErrorCode::kSlowDown);
  store(value);
  proceed(kept_);
}

}  // namespace tercel::gateway
