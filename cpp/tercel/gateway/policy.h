// Who is asked about requests: one for all loops of a gateway.
//
//   class Operator final : public Policy {
//     void ask(std::unique_ptr<Inquiry> inquiry) noexcept override { ... }  // Later: reply().
//   };
//
// An inquiry is a question on its way to the policy and back. It comes back to the loop that asked,
// and to nobody once that loop has left. Resource: outlives the desks that join it. Thread: any.
// Tested by desk_test.cc.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tercel/gateway/question.h"
#include "tercel/net/mailbox.h"

namespace tercel::gateway {

struct Inquiry : net::MailNode {
  Question question;
  Answer answer;
  std::string cache_key;
  std::size_t desk = 0;
};

class Policy {
 public:
  Policy() noexcept = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;
  virtual ~Policy() = default;

  // Answers later, by reply(), whatever happens. Returns at once. Thread: any.
  virtual void ask(std::unique_ptr<Inquiry> inquiry) noexcept = 0;

  // For desks. `box` is where its replies go. Throws std::bad_alloc.
  [[nodiscard]] std::size_t join(net::Mailbox<Inquiry>& box);
  // No reply comes to it any more.
  void leave(std::size_t desk) noexcept;

 protected:
  void reply(std::unique_ptr<Inquiry> inquiry) noexcept;

 private:
  std::mutex mutex_;  // Held for a push: a desk does not leave in the middle of one.
  std::vector<net::Mailbox<Inquiry>*> desks_;
};

}  // namespace tercel::gateway
