// What one loop knows of a policy, and asks it.
//
//   const auto known = desk.key(access_key, waiter);
//   if (known.state == Desk::State::kKnown) use(**known.value);
//   ...
//   void on_answer(const SharedConst<FrontKey>& key) noexcept override { ... }  // Of the waiter.
//
// A question that is asked already is waited for. A secret, credentials or the backend of a bucket
// that grow old are asked for again while they are used; a decision counts to its end, and whoever
// comes then waits. Resource: lives with its loop. Thread: the loop's. Cost: hashes, when it is
// known; then nothing is allocated. Tested by desk_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/gateway/answer_cache.h"
#include "tercel/gateway/changes.h"
#include "tercel/gateway/counts.h"
#include "tercel/gateway/decision_key.h"
#include "tercel/gateway/policy.h"
#include "tercel/gateway/question.h"
#include "tercel/net/loop.h"
#include "tercel/net/mailbox.h"

namespace tercel::gateway {

class Desk final : private net::Mailbox<Inquiry>::Reader {
 public:
  enum class State : std::uint8_t {
    kKnown,   // `value` is the answer.
    kWaits,   // The waiter is told.
    kRefused  // Too much is asked for already, or memory is exhausted.
  };
  template <typename Value>
  struct Known {
    State state;
    SharedConst<Value> value;
  };
  // All outlive it; each of the caches holds `entries_max` answers (answer_cache.h). Fails
  // with kTooManyFiles, kNoMemory or kSystem.
  [[nodiscard]] static Result<std::unique_ptr<Desk>> create(net::Loop& loop, Policy& policy,
                                                            Changes& changes, Counts& counts,
                                                            std::size_t entries_max);
  ~Desk();

  [[nodiscard]] Known<FrontKey> key(std::string_view access_key,
                                    AnswerCache<FrontKey>::Waiter& waiter) noexcept;
  [[nodiscard]] Known<Decision> decision(const DecisionFacts& facts, std::string_view access_key,
                                         AnswerCache<Decision>::Waiter& waiter) noexcept;
  // With a `rule`, those of the rule's backend, for everybody.
  [[nodiscard]] Known<Credentials> credentials(std::string_view bucket, std::string_view identity,
                                               std::string_view rule,
                                               AnswerCache<Credentials>::Waiter& waiter) noexcept;
  // The backend of a bucket that the configuration does not name.
  [[nodiscard]] Known<ResolvedBucket> bucket(std::string_view bucket,
                                             AnswerCache<ResolvedBucket>::Waiter& waiter) noexcept;
  // Asks for requests of a budget, which are in the gateway's shares when the waiter is told; null:
  // nobody waits. It is kWaits or kRefused.
  struct Budget {
    const std::string& text;
    std::uint64_t key;
    const edge::BudgetRules& rules;
  };
  [[nodiscard]] State budget(const Budget& budget, AnswerCache<Granted>::Waiter* waiter) noexcept;

 private:
  Desk(net::Loop& loop, Policy& policy, Changes& changes, Counts& counts, std::size_t entries_max);
  // Forgets what is not to be believed any more.
  void catch_up() noexcept;
  void forget(const Forget& forget) noexcept;
  template <typename Value, typename Fill>
  [[nodiscard]] Known<Value> look_up(AnswerCache<Value>& cache, std::string_view key,
                                     typename AnswerCache<Value>::Waiter& waiter,
                                     Fill fill) noexcept;
  template <typename Fill>
  [[nodiscard]] bool ask(std::string_view key, Fill fill) noexcept;
  void on_mail(net::MailBatch<Inquiry> batch) noexcept override;
  void take(Inquiry& inquiry) noexcept;
  template <typename Value>
  void store(AnswerCache<Value>& cache, Inquiry& inquiry) noexcept;

  net::Loop& loop_;
  Policy& policy_;
  Changes& changes_;
  Counts& counts_;
  std::uint64_t heard_;  // Of the changes.
  std::unique_ptr<net::Mailbox<Inquiry>> box_;
  std::size_t number_ = 0;
  std::string key_;  // Room that is used again.
  AnswerCache<FrontKey> keys_;
  AnswerCache<Decision> decisions_;
  AnswerCache<Credentials> credentials_;
  AnswerCache<ResolvedBucket> buckets_;
  AnswerCache<Granted> budgets_;  // Who waits for them: answers do not hold.
  const SharedConst<Granted> granted_{Granted{}};
};

}  // namespace tercel::gateway
