// Hands objects from any number of threads to the thread of one loop, in batches.
//
//   struct Job : MailNode { ... };
//   class Worker final : public Mailbox<Job>::Reader {
//     void on_mail(MailBatch<Job> batch) noexcept override {
//       while (Job* job = batch.pop()) work_on(*job);
//     }
//   };
//   mailbox.push(job);        // One object, or
//   outgoing.add(other_job);  // several of a sender's turn,
//   mailbox.push(outgoing);   // handed over with one atomic exchange.
//
// No lock, no allocation: objects carry their own link, and whoever takes one out owns it. The
// reader is woken by one write to an eventfd when the box was empty, and takes everything at once.
// What one sender pushes stays in order. Nothing is bounded here: a sender has as many objects on
// their way as its own limits allow.
//
// Thread: push() any; everything else the loop's. Source: the push-only part of the stack of
// Treiber, "Systems Programming: Coping with Parallelism", 1986; nobody takes single objects off
// it, so there is no ABA. Tested by mailbox_test.cc, also under TSan.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "tercel/base/assert.h"
#include "tercel/base/result.h"
#include "tercel/net/loop.h"

namespace tercel::net {

struct MailChain;

// Base of what is sent. In one Outgoing, mailbox or batch at a time.
class MailNode {
 private:
  template <typename T>
  friend class MailBatch;
  template <typename T>
  friend class Outgoing;
  friend class MailboxCore;
  friend MailChain in_order(MailNode* last) noexcept;
  MailNode* next_ = nullptr;
};

// Nodes linked from the first to the last; `last` means nothing when there is none.
struct MailChain {
  MailNode* first = nullptr;
  MailNode* last = nullptr;
};

// Turns around nodes that are linked from the last to the first; null: none.
[[nodiscard]] MailChain in_order(MailNode* last) noexcept;

// What a reader gets: first sent, first out. Its holder empties it.
template <typename T>
class MailBatch {
 public:
  MailBatch() noexcept = default;
  explicit MailBatch(MailChain chain) noexcept : chain_{chain} {}
  MailBatch(MailBatch&& other) noexcept : chain_{std::exchange(other.chain_, {})} {}
  MailBatch& operator=(MailBatch&& other) noexcept {
    std::swap(chain_, other.chain_);
    return *this;
  }
  ~MailBatch() { TERCEL_ASSERT(empty()); }

  [[nodiscard]] bool empty() const noexcept { return chain_.first == nullptr; }
  // Null when empty.
  [[nodiscard]] T* pop() noexcept {
    MailNode* const node = chain_.first;
    if (node != nullptr) chain_.first = std::exchange(node->next_, nullptr);
    return static_cast<T*>(node);
  }
  // Puts what `later` holds behind what is here: for a reader that leaves some for its next turn.
  void append(MailBatch later) noexcept {
    if (later.empty()) return;
    const MailChain added = std::exchange(later.chain_, {});
    (empty() ? chain_.first : chain_.last->next_) = added.first;
    chain_.last = added.last;
  }

 private:
  MailChain chain_;
};

// What a sender collects before one push(). Thread: the sender's.
template <typename T>
class Outgoing {
 public:
  Outgoing() noexcept = default;
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;
  // Takes over what `other` holds.
  Outgoing(Outgoing&& other) noexcept
      : last_{std::exchange(other.last_, nullptr)}, first_{std::exchange(other.first_, nullptr)} {}
  ~Outgoing() { TERCEL_ASSERT(empty()); }

  [[nodiscard]] bool empty() const noexcept { return last_ == nullptr; }
  void add(T& object) noexcept {
    MailNode& node = object;
    node.next_ = last_;
    last_ = &node;
    if (first_ == nullptr) first_ = &node;
  }
  // What was collected, for a reader that has no mailbox.
  [[nodiscard]] MailBatch<T> take_all() noexcept {
    first_ = nullptr;
    return MailBatch<T>{in_order(std::exchange(last_, nullptr))};
  }

 private:
  template <typename U>
  friend class Mailbox;
  // Linked from the last to the first.
  MailNode* last_ = nullptr;
  MailNode* first_ = nullptr;
};

// What a mailbox does whatever its objects are.
class MailboxCore : private Watcher {
 public:
  MailboxCore(const MailboxCore&) = delete;
  MailboxCore& operator=(const MailboxCore&) = delete;

 protected:
  explicit MailboxCore(Loop& loop) noexcept : loop_{loop} {}
  ~MailboxCore();
  [[nodiscard]] Result<void> open() noexcept;
  // Takes a chain of nodes, linked from the last to the first.
  void push_chain(MailNode* last, MailNode* first) noexcept;
  [[nodiscard]] MailChain take_chain() noexcept;
  virtual void on_chain(MailChain chain) noexcept = 0;

 private:
  void on_ready(std::uint32_t) noexcept override;

  Loop& loop_;
  int wake_fd_ = -1;
  WatchId id_ = WatchId::kNone;
  // The object pushed last; each links to the one before. On a cache line that only senders share.
  alignas(64) std::atomic<MailNode*> top_{nullptr};
};

// Resource. No sender may be in push() any more, and the box must be empty, when it dies.
template <typename T>
class Mailbox final : private MailboxCore {
 public:
  class Reader {
   public:
    virtual void on_mail(MailBatch<T> batch) noexcept = 0;

   protected:
    ~Reader() = default;
  };

  // `loop` and `reader` outlive it. Fails with kTooManyFiles, kNoMemory or kSystem.
  [[nodiscard]] static Result<std::unique_ptr<Mailbox>> create(Loop& loop, Reader& reader) {
    std::unique_ptr<Mailbox> box{new Mailbox(loop, reader)};  // The constructor is private.
    if (auto opened = box->open(); !opened) return fail(opened.error());
    return box;
  }

  // Thread: any.
  void push(T& object) noexcept { push_chain(&object, &object); }
  // Empties `outgoing`. Thread: any.
  void push(Outgoing<T>& outgoing) noexcept {
    if (outgoing.empty()) return;
    push_chain(std::exchange(outgoing.last_, nullptr), std::exchange(outgoing.first_, nullptr));
  }

  // Takes what is there, without waiting to be woken.
  [[nodiscard]] MailBatch<T> take_all() noexcept { return MailBatch<T>{take_chain()}; }

 private:
  Mailbox(Loop& loop, Reader& reader) noexcept : MailboxCore{loop}, reader_{reader} {}
  void on_chain(MailChain chain) noexcept override { reader_.on_mail(MailBatch<T>{chain}); }

  Reader& reader_;
};

}  // namespace tercel::net
