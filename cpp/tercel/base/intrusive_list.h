// A list of objects that carry their own links: nothing is allocated, and an object leaves its list
// in constant time, by itself when it is destroyed.
//
//   class Deferred : private ListNode {
//     friend class IntrusiveList<Deferred>;  // With a private base.
//   };
//
// An object is in one list at most. Lists own nothing. Resource: one thread.
// Tested by intrusive_list_test.cc.
#pragma once

#include "tercel/base/assert.h"

namespace tercel {

class ListNode {
 public:
  ListNode() noexcept = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }

  [[nodiscard]] bool linked() const noexcept { return next_ != nullptr; }

  // Leaves the list it is in, if any.
  void unlink() noexcept {
    if (!linked()) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
  }

 private:
  template <typename T>
  friend class IntrusiveList;
  ListNode* prev_ = nullptr;
  ListNode* next_ = nullptr;
};

// A list of T, which derives from ListNode.
template <typename T>
class IntrusiveList {
 public:
  IntrusiveList() noexcept { ends_.prev_ = ends_.next_ = &ends_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  // Objects that are still in the list become free to join another one.
  ~IntrusiveList() {
    while (pop_front() != nullptr) {
    }
  }

  [[nodiscard]] bool empty() const noexcept { return ends_.next_ == &ends_; }
  // Null when empty.
  [[nodiscard]] T* front() noexcept { return empty() ? nullptr : static_cast<T*>(ends_.next_); }

  // REQUIRES: `object` is in no list.
  void push_back(T& object) noexcept {
    ListNode& node = object;
    TERCEL_ASSERT(!node.linked());
    node.prev_ = ends_.prev_;
    node.next_ = &ends_;
    ends_.prev_->next_ = &node;
    ends_.prev_ = &node;
  }

  // Null when empty.
  T* pop_front() noexcept {
    T* object = front();
    if (object != nullptr) static_cast<ListNode*>(object)->unlink();
    return object;
  }

  // Calls `visit(T&)` for each, in order. REQUIRES: none leaves but the one that is visited.
  template <typename Visit>
  void for_each(Visit visit) const noexcept {
    for (ListNode* node = ends_.next_; node != &ends_;) {
      ListNode* const next = node->next_;
      visit(*static_cast<T*>(node));
      node = next;
    }
  }

  // Moves everything from `other` behind what is here, in order. Cost: constant.
  void take_all(IntrusiveList& other) noexcept {
    if (other.empty()) return;
    ListNode* const first = other.ends_.next_;
    ListNode* const last = other.ends_.prev_;
    other.ends_.prev_ = other.ends_.next_ = &other.ends_;
    first->prev_ = ends_.prev_;
    ends_.prev_->next_ = first;
    last->next_ = &ends_;
    ends_.prev_ = last;
  }

 private:
  ListNode ends_;  // Before the first and behind the last.
};

}  // namespace tercel
