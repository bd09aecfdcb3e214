#include "python/s3/policy_bridge.h"

#include <exception>
#include <utility>

#include "python/errors.h"
#include "python/s3/answers.h"

namespace nb = nanobind;

namespace tercel::python::s3 {
namespace {

using gateway::Inquiry;

// Where the answer to one question goes. Python calls it, or forgets it.
class Reply {
 public:
  // `bridge` is the Python object of the bridge.
  Reply(nb::object bridge, std::unique_ptr<Inquiry> inquiry)
      : bridge_{std::move(bridge)}, inquiry_{std::move(inquiry)} {}
  Reply(Reply&& other) noexcept = default;
  Reply& operator=(Reply&&) = delete;
  ~Reply() { send(); }

  void call(const nb::tuple& answer, bool shared) {
    if (inquiry_ == nullptr) throw nb::value_error("this question is answered already");
    inquiry_->answer = to_answer(answer);
    inquiry_->answer.shared = shared;
    send();
  }
  [[nodiscard]] nb::list keys() const {
    if (inquiry_ == nullptr) throw nb::value_error("this question is answered already");
    return decision_keys(inquiry_->question);
  }

 private:
  // What has no answer is a failure (gateway/desk.h).
  void send() noexcept {
    if (inquiry_ != nullptr) nb::inst_ptr<PolicyBridge>(bridge_)->reply(std::move(inquiry_));
  }

  nb::object bridge_;
  std::unique_ptr<Inquiry> inquiry_;
};

}  // namespace

void PolicyBridge::open(net::Loop& app_loop) {
  box_ = or_throw(net::Mailbox<Inquiry>::create(app_loop, *this));
}

void PolicyBridge::close() noexcept {
  if (box_ == nullptr) return;
  net::MailBatch<Inquiry> rest = box_->take_all();
  while (Inquiry* const inquiry = rest.pop()) delete inquiry;
  box_.reset();
}

void PolicyBridge::ask(std::unique_ptr<Inquiry> inquiry) noexcept {
  box_->push(*inquiry.release());
}

void PolicyBridge::on_mail(net::MailBatch<Inquiry> batch) noexcept {
  const nb::object self = nb::find(*this);
  while (Inquiry* const taken = batch.pop()) {
    std::unique_ptr<Inquiry> inquiry{taken};
    try {
      const nb::tuple question = to_tuple(inquiry->question);
      const nb::object answer = nb::cast(Reply{self, std::move(inquiry)});
      function_(question, answer);
    } catch (nb::python_error& error) {
      error.restore();
      PyErr_WriteUnraisable(function_.ptr());
    } catch (const std::exception&) {  // Memory is exhausted.
    }
    // Unless a Reply has it: nobody will answer.
    if (inquiry != nullptr) reply(std::move(inquiry));
  }
}

void bind_policy(nb::module_& module) {
  nb::class_<PolicyBridge>(module, "PolicyBridge").def(nb::init<nb::object>(), nb::arg("function"));
  nb::class_<Reply>(module, "Reply")
      .def("__call__", &Reply::call, nb::arg("answer"), nb::arg("shared") = false,
           "Answers the question. Once. `shared`: with what another gateway was answered.")
      .def("keys", &Reply::keys,
           "Returns under which keys a decision may be known, by scope, the narrowest first.");
}

}  // namespace tercel::python::s3
