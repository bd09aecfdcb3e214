// What a policy has answered, for as long as it may be believed, and who waits for an answer.
//
//   const auto found = keys.find(access_key, loop.now());
//   if (found.value != nullptr) use(*found.value);
//   if (found.ask && keys.begin(access_key)) ask_for(access_key);
//   if (found.value == nullptr && !keys.wait(access_key, waiter)) refuse();
//   ...
//   keys.answer(access_key, value, {.fresh_until = now + 50s, .until = now + 60s});
//
// One question is under way for a key, however many wait (single flight). An answer that is not
// fresh any more is still used until its end, while the next one is asked for. Of those that nobody
// waits for, the one that was used least lately gives its place to another key, and before all
// others those that say so (refusals, which strangers can bring about at will); none does that is
// asked for. No more than a quarter of the places are asked for at a time, so that questions about
// what nobody knows push out few answers. Bytes are bounded as places are: kPlaceBytes for each of
// them, of keys and values together, and one answer of more than kEntryBytesMax is given to those
// who wait, and not kept. Values are handed out by SharedConst: a request keeps the one that it
// began with.
//
// Resource: one a loop. Thread: the loop's. Cost: a hash of the key; find() allocates nothing.
// Tested by answer_cache_test.cc.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "tercel/base/intrusive_list.h"
#include "tercel/base/keyed_hash.h"
#include "tercel/base/shared_const.h"

namespace tercel::gateway {

// How long an answer holds, in the loop's time.
struct Validity {
  std::chrono::nanoseconds fresh_until;  // From then on the next one is asked for.
  std::chrono::nanoseconds until;        // At most to this.
  bool gives_way = false;                // Its place is taken before those of others.
};

// Bytes that a value holds beside itself. Others stand with their types.
[[nodiscard]] inline std::size_t held_bytes(const std::string& text) noexcept {
  return text.size();
}

template <typename Value>
class AnswerCache {
 public:
  // Of keys and values for each place, on average, and at least kBytesMin in all.
  static constexpr std::size_t kPlaceBytes = 1024;
  static constexpr std::size_t kBytesMin = std::size_t{1} << 20;
  // Of an answer with its key.
  static constexpr std::size_t kEntryBytesMax = std::size_t{1} << 16;

  // Who waits for an answer. Leaves the list by itself when it is destroyed.
  class Waiter : public ListNode {
   public:
    // Also an answer that does not hold for any time comes here. Null: what was answered does not
    // count any more, ask again.
    virtual void on_answer(const SharedConst<Value>& value) noexcept = 0;

   protected:
    ~Waiter() = default;
  };

  struct Found {
    const SharedConst<Value>* value;  // Null: none that holds. Valid until a call but find().
    bool ask;                         // It is time for the next answer, and nobody has asked.
  };

  explicit AnswerCache(std::size_t entries_max, KeyedHash hash = KeyedHash::random())
      : entries_{0, Hash{hash}},
        entries_max_{entries_max},
        asked_max_{(entries_max + 3) / 4},
        bytes_max_{std::max(entries_max * kPlaceBytes, kBytesMin)} {}
  AnswerCache(const AnswerCache&) = delete;
  AnswerCache& operator=(const AnswerCache&) = delete;

  [[nodiscard]] Found find(std::string_view key, std::chrono::nanoseconds now) noexcept {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return {nullptr, true};
    Entry& entry = found->second;
    if (!entry.asked) touch(entry);
    const bool holds = entry.value && now < entry.validity.until;
    return {holds ? &entry.value : nullptr, !entry.asked && now >= entry.validity.fresh_until};
  }

  // Notes that the caller asks for it now. False: as many keys are asked for as may be, they have
  // all the bytes, or memory is exhausted. REQUIRES: find() said that nobody has asked.
  [[nodiscard]] bool begin(std::string_view key) noexcept {
    if (asked_ == asked_max_) return false;
    Entry* const entry = entry_of(key);
    if (entry == nullptr) return false;
    ++asked_;
    entry->asked = true;
    entry->outdated = false;
    entry->unlink();  // Is not evicted.
    return true;
  }

  // Adds who waits for the answer that is asked for. False: none is. REQUIRES: `waiter` waits for
  // nothing else.
  [[nodiscard]] bool wait(std::string_view key, Waiter& waiter) noexcept {
    const auto found = entries_.find(key);
    if (found == entries_.end() || !found->second.asked) return false;
    found->second.waiters.push_back(waiter);
    return true;
  }

  // Whether the answer that is under way is not to be believed.
  [[nodiscard]] bool is_outdated(std::string_view key) const noexcept {
    const auto found = entries_.find(key);
    return found != entries_.end() && found->second.outdated;
  }

  // Takes an answer that was asked for, and tells those who wait for it.
  void answer(std::string_view key, SharedConst<Value> value, Validity validity) noexcept {
    const auto found = entries_.find(key);
    if (found == entries_.end() || !found->second.asked) return;
    Entry& entry = found->second;
    if (entry.outdated) value = {};
    // What a waiter does may change the cache, and end others that wait.
    IntrusiveList<Waiter> waiters;
    waiters.take_all(entry.waiters);
    entry.validity = validity;
    if (entry.outdated) entry.validity = {};
    end_asking(entry);
    keep(entry, value);
    while (Waiter* const waiter = waiters.pop_front()) waiter->on_answer(value);
  }

  // Takes that there was no answer: the one of before that still holds stays, and the next is asked
  // for from `fresh_until` on. False: none holds, or none that counts; nothing is changed then.
  [[nodiscard]] bool put_off(std::string_view key, std::chrono::nanoseconds now,
                             std::chrono::nanoseconds fresh_until) noexcept {
    const auto found = entries_.find(key);
    if (found == entries_.end() || !found->second.asked) return false;
    Entry& entry = found->second;
    if (entry.outdated || !entry.value || now >= entry.validity.until) return false;
    entry.validity.fresh_until = fresh_until;
    end_asking(entry);  // Nobody waits for what is there.
    return true;
  }

  // Takes an answer that holds for another key than the one that was asked for. One that cannot be
  // stored is asked for again.
  void put(std::string_view key, SharedConst<Value> value, Validity validity) noexcept {
    Entry* const entry = entry_of(key);
    if (entry == nullptr || entry->asked) return;
    entry->validity = validity;
    touch(*entry);
    keep(*entry, std::move(value));
  }

  // Forgets the answers of which `gone(key)` is true, and does not believe those that are under
  // way: whoever waits for them asks again. Cost: linear.
  template <typename Predicate>
  void forget_if(Predicate gone) noexcept {
    for (auto next = entries_.begin(); next != entries_.end();) {
      const auto here = next++;
      if (!gone(std::string_view{here->first})) continue;
      Entry& entry = here->second;
      if (!entry.asked) {
        erase(entry);
        continue;
      }
      hold(entry, {});
      entry.validity = {};
      entry.outdated = true;
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  // Of keys and values, and what stands around them.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  // In one of the lists while nobody asks for it.
  struct Entry : ListNode {
    SharedConst<Value> value;
    Validity validity{};
    IntrusiveList<Waiter> waiters;
    const std::string* key = nullptr;
    std::size_t bytes = 0;
    bool asked = false;
    bool outdated = false;  // The answer that is asked for.
  };
  struct Hash {
    using is_transparent = void;
    KeyedHash hash;
    std::size_t operator()(std::string_view key) const noexcept { return hash(key); }
  };
  using Entries = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  // Makes it the one that was used last. REQUIRES: nobody asks for it.
  void touch(Entry& entry) noexcept {
    entry.unlink();
    (entry.validity.gives_way ? gives_way_ : used_).push_back(entry);
  }
  void end_asking(Entry& entry) noexcept {
    --asked_;
    entry.asked = false;
    touch(entry);
  }

  // The one that gives its place to another; null: all are asked for.
  [[nodiscard]] Entry* oldest() noexcept {
    return !gives_way_.empty() ? gives_way_.front() : used_.front();
  }
  void erase(Entry& entry) noexcept {
    bytes_ -= entry.bytes;
    entries_.erase(entries_.find(std::string_view{*entry.key}));
  }

  static constexpr std::size_t bytes_of(std::string_view key) noexcept {
    constexpr std::size_t kAround = sizeof(Entry) + sizeof(std::string) + sizeof(Value) + 64;
    return kAround + key.size();
  }
  void hold(Entry& entry, SharedConst<Value> value) noexcept {
    const std::size_t bytes = bytes_of(*entry.key) + (value ? held_bytes(*value) : 0);
    bytes_ += bytes - entry.bytes;
    entry.bytes = bytes;
    entry.value = std::move(value);
  }
  // Takes the value, in the place of the one of before and of what was used least lately. REQUIRES:
  // nobody asks for it, or waits. Afterwards it may be gone.
  void keep(Entry& entry, SharedConst<Value> value) noexcept {
    hold(entry, std::move(value));
    if (entry.bytes > kEntryBytesMax) return erase(entry);
    while (bytes_ > bytes_max_) {
      Entry* const one = oldest();
      if (one == nullptr) return;
      erase(*one);
    }
  }

  [[nodiscard]] Entry* entry_of(std::string_view key) noexcept {
    if (const auto found = entries_.find(key); found != entries_.end()) return &found->second;
    while (entries_.size() >= entries_max_ || bytes_ + bytes_of(key) > bytes_max_) {
      Entry* const one = oldest();
      if (one == nullptr) return nullptr;
      erase(*one);
    }
    try {
      const auto added = entries_.try_emplace(std::string{key}).first;
      Entry& entry = added->second;
      entry.key = &added->first;
      entry.bytes = bytes_of(key);
      bytes_ += entry.bytes;
      return &entry;
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }

  Entries entries_;
  // The one that was used least lately is the first.
  IntrusiveList<Entry> used_;
  IntrusiveList<Entry> gives_way_;
  std::size_t asked_ = 0;
  std::size_t bytes_ = 0;
  const std::size_t entries_max_;
  const std::size_t asked_max_;
  const std::size_t bytes_max_;
};

}  // namespace tercel::gateway
