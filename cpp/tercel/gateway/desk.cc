#include "tercel/gateway/desk.h"

#include <array>
#include <new>
#include <type_traits>
#include <utility>
#include <variant>

#include "tercel/gateway/key_pieces.h"

namespace tercel::gateway {

Desk::Desk(net::Loop& loop, Policy& policy, Changes& changes, Counts& counts,
           std::size_t entries_max)
    : loop_{loop},
      policy_{policy},
      changes_{changes},
      counts_{counts},
      heard_{changes.count()},
      keys_{entries_max},
      decisions_{entries_max},
      credentials_{entries_max},
      buckets_{entries_max},
      budgets_{entries_max} {}

Result<std::unique_ptr<Desk>> Desk::create(net::Loop& loop, Policy& policy, Changes& changes,
                                           Counts& counts, std::size_t entries_max) {
  std::unique_ptr<Desk> desk{
      new Desk(loop, policy, changes, counts, entries_max)};  // The constructor is private.
  auto box = net::Mailbox<Inquiry>::create(loop, *desk);
  if (!box) return fail(box.error());
  desk->box_ = *std::move(box);
  desk->number_ = policy.join(*desk->box_);
  return desk;
}

Desk::~Desk() {
  if (box_ == nullptr) return;
  policy_.leave(number_);
  net::MailBatch<Inquiry> rest = box_->take_all();
  while (Inquiry* const inquiry = rest.pop()) delete inquiry;
}

// `fill` writes what is asked to a Question.
template <typename Fill>
bool Desk::ask(std::string_view key, Fill fill) noexcept {
  try {
    auto inquiry = std::make_unique<Inquiry>();
    fill(inquiry->question);
    inquiry->cache_key = key;
    inquiry->desk = number_;
    const bool about_budget = inquiry->question.kind == Question::Kind::kBudget;
    counts_.add(about_budget ? Counts::limits_asked : Counts::policy_asked);
    policy_.ask(std::move(inquiry));
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

template <typename Value, typename Fill>
Desk::Known<Value> Desk::look_up(AnswerCache<Value>& cache, std::string_view key,
                                 typename AnswerCache<Value>::Waiter& waiter, Fill fill) noexcept {
  const auto found = cache.find(key, loop_.now());
  // A value that is on its way out is handed out before begin(), which may end others.
  Known<Value> known{found.value != nullptr ? State::kKnown : State::kWaits,
                     found.value != nullptr ? *found.value : SharedConst<Value>{}};
  if (found.ask && cache.begin(key) && !ask(key, fill)) {
    cache.answer(key, {}, {});  // Memory is exhausted: whoever comes next tries again.
  }
  if (known.state == State::kKnown) {
    counts_.add(Counts::policy_known);
  } else if (!cache.wait(key, waiter)) {
    known.state = State::kRefused;
  }
  return known;
}

Desk::Known<FrontKey> Desk::key(std::string_view access_key,
                                AnswerCache<FrontKey>::Waiter& waiter) noexcept {
  catch_up();
  return look_up(keys_, access_key, waiter, [&](Question& question) {
    question.kind = Question::Kind::kKey;
    question.access_key = access_key;
  });
}

Desk::Known<Decision> Desk::decision(const DecisionFacts& facts, std::string_view access_key,
                                     AnswerCache<Decision>::Waiter& waiter) noexcept {
  catch_up();
  // The narrowest decision counts, so the widest is looked for last.
  for (const Scope scope : {Scope::kRequest, Scope::kPrefix, Scope::kOperation, Scope::kBucket}) {
    write_decision_key(facts, scope, key_);
    const auto found = decisions_.find(key_, loop_.now());
    if (found.value == nullptr) continue;
    counts_.add(Counts::policy_known);
    return {State::kKnown, *found.value};
  }
  write_decision_key(facts, Scope::kRequest, key_);
  return look_up(decisions_, key_, waiter, [&](Question& question) {
    question.kind = Question::Kind::kDecision;
    question.access_key = access_key;
    question.identity = facts.identity;
    question.bucket = facts.bucket;
    question.key = facts.key;
    question.place = facts.place;
    question.operation = facts.operation;
    question.method = facts.method;
    question.query = facts.query;
    question.source_ip = facts.source_ip;
    question.copy_source = facts.copy_source;
    question.presigned = facts.presigned;
    for (const http::Field& field : facts.headers) {
      question.headers.emplace_back(field.name, field.value);
    }
  });
}

Desk::Known<Credentials> Desk::credentials(std::string_view bucket, std::string_view identity,
                                           std::string_view rule,
                                           AnswerCache<Credentials>::Waiter& waiter) noexcept {
  catch_up();
  key_.clear();
  append_piece(key_, identity);
  append_piece(key_, bucket);
  append_piece(key_, rule);
  return look_up(credentials_, key_, waiter, [&](Question& question) {
    question.kind = Question::Kind::kCredentials;
    question.bucket = bucket;
    question.identity = identity;
    question.rule = rule;
  });
}

Desk::Known<ResolvedBucket> Desk::bucket(std::string_view bucket,
                                         AnswerCache<ResolvedBucket>::Waiter& waiter) noexcept {
  catch_up();
  return look_up(buckets_, bucket, waiter, [&](Question& question) {
    question.kind = Question::Kind::kBucket;
    question.bucket = bucket;
  });
}

Desk::State Desk::budget(const Budget& budget, AnswerCache<Granted>::Waiter* waiter) noexcept {
  const auto fill = [&](Question& question) {
    question.kind = Question::Kind::kBudget;
    question.budget = budget.text;
    question.budget_key = budget.key;
    question.rules = budget.rules;
  };
  const std::string_view key{reinterpret_cast<const char*>(&budget.key), sizeof budget.key};
  if (waiter != nullptr) return look_up(budgets_, key, *waiter, fill).state;
  return ask(key, fill) ? State::kWaits : State::kRefused;
}

void Desk::catch_up() noexcept {
  changes_.since(heard_, [this](const Forget& one) { forget(one); });
}

void Desk::forget(const Forget& forget) noexcept {
  const auto& access_key = forget.access_key;
  const auto& identity = forget.identity;
  const auto& bucket = forget.bucket;
  const bool all = access_key.empty() && identity.empty() && bucket.empty();
  if (all || !access_key.empty()) {
    keys_.forget_if([&](std::string_view key) { return all || key == access_key; });
  }
  if (all || !bucket.empty()) {
    buckets_.forget_if([&](std::string_view key) { return all || key == bucket; });
  }
  if (!all && identity.empty() && bucket.empty()) return;
  decisions_.forget_if([&](std::string_view key) { return is_decision_of(key, identity, bucket); });
  credentials_.forget_if([&](std::string_view key) {
    return matches_piece(key, identity) && matches_piece(key, bucket);
  });
}

void Desk::on_mail(net::MailBatch<Inquiry> batch) noexcept {
  catch_up();
  while (Inquiry* const inquiry = batch.pop()) {
    take(*inquiry);
    delete inquiry;
  }
}

void Desk::take(Inquiry& inquiry) noexcept {
  if (inquiry.answer.shared) counts_.add(Counts::policy_shared);
  switch (inquiry.question.kind) {
    case Question::Kind::kKey:
      if (auto* const key = std::get_if<FrontKey>(&inquiry.answer.value)) {
        key->version = next_secret_version();
      }
      return store(keys_, inquiry);
    case Question::Kind::kDecision:
      return store(decisions_, inquiry);
    case Question::Kind::kCredentials:
      if (auto* const found = std::get_if<Credentials>(&inquiry.answer.value)) {
        if (auto* const hmac = std::get_if<Hmac>(&found->value)) {
          hmac->version = next_secret_version();
        }
      }
      return store(credentials_, inquiry);
    case Question::Kind::kBucket:
      return store(buckets_, inquiry);
    case Question::Kind::kBudget:
      return budgets_.answer(inquiry.cache_key, granted_,
                             {.fresh_until = {}, .until = {}, .gives_way = true});
  }
}

template <typename Value>
void Desk::store(AnswerCache<Value>& cache, Inquiry& inquiry) noexcept {
  const std::chrono::nanoseconds now = loop_.now();
  Validity validity{now + inquiry.answer.fresh, now + inquiry.answer.holds};
  const auto* const answered = std::get_if<Value>(&inquiry.answer.value);
  const bool failed = answered == nullptr || answered->verdict == Verdict::kFailed ||
                      answered->verdict == Verdict::kTimedOut;
  if (failed && cache.put_off(inquiry.cache_key, now, validity.fresh_until)) return;
  SharedConst<Value> value;
  try {
    // An answer of another kind is none: the default of each is a failure.
    auto* const given = std::get_if<Value>(&inquiry.answer.value);
    value = SharedConst<Value>{given != nullptr ? std::move(*given) : Value{}};
    validity.gives_way = value->verdict != Verdict::kYes;
    if constexpr (std::is_same_v<Value, Decision>) {
      // What is answered for nobody, strangers can ask for at will.
      validity.gives_way |= inquiry.question.identity.empty();
      if (value->scope != Scope::kRequest && !cache.is_outdated(inquiry.cache_key)) {
        write_decision_key(inquiry.question, value->scope, key_);
        cache.put(key_, value, validity);
        // Under its narrow key it is for those who wait.
        validity = {.fresh_until = {}, .until = {}, .gives_way = true};
      }
    }
  } catch (const std::bad_alloc&) {
    value = {};
  }
  cache.answer(inquiry.cache_key, std::move(value), validity);
}

}  // namespace tercel::gateway
