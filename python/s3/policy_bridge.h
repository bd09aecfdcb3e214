// Asks Python what the loops of a gateway ask, and takes its answers back to them.
//
// A question comes through a mailbox of the application's loop, and is given to one callable as a
// tuple, with a Reply that takes the answer as a tuple (src/tercel/s3/answers.py). A Reply
// that nobody calls is a failure. Resource: lives in a Python object, which its replies keep; open
// from the start of a server to its end. Thread: ask() any, everything else the application's, with
// the interpreter lock held. Tested by test_s3_policy.py.
#pragma once

#include <memory>

#include <nanobind/nanobind.h>

#include "tercel/gateway/policy.h"
#include "tercel/net/loop.h"
#include "tercel/net/mailbox.h"

namespace tercel::python::s3 {

class PolicyBridge final : public gateway::Policy, private net::Mailbox<gateway::Inquiry>::Reader {
 public:
  // `function` is called with a question and a Reply.
  explicit PolicyBridge(nanobind::object function) : function_{std::move(function)} {}
  ~PolicyBridge() override { close(); }

  // Takes questions from now on. `app_loop` outlives close(). Throws OSError.
  void open(net::Loop& app_loop);
  // Whoever asks now, or waits, hears nothing. REQUIRES: no desk asks any more.
  void close() noexcept;

  void ask(std::unique_ptr<gateway::Inquiry> inquiry) noexcept override;
  using gateway::Policy::reply;

 private:
  void on_mail(net::MailBatch<gateway::Inquiry> batch) noexcept override;

  const nanobind::object function_;
  std::unique_ptr<net::Mailbox<gateway::Inquiry>> box_;
};

// Registers PolicyBridge and Reply.
void bind_policy(nanobind::module_& module);

}  // namespace tercel::python::s3
