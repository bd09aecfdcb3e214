#include "session.h"

#include <cerrno>

#include "run.h"

namespace tercel::load {

Session::Session(Run& run) noexcept : Link{run.loop()}, run_{run} {}

void Session::connect() {
  since_ = run_.now();
  Link::connect(run_.options().server, run_.next_source());
}

void Session::ask(std::chrono::nanoseconds due) {
  number_ = run_.next_number();
  asking_ = true;
  asked_at_ = due;
  since_ = run_.now();
  ++run_.tally().sent;
  send_request(number_);
}

void Session::set_ready() {
  ready_ = true;
  ++run_.tally().connections;
  run_.on_ready(*this);
}

void Session::settled() {
  asking_ = false;
  run_.tally().latencies.add(run_.clock_now() - asked_at_);
}

void Session::settle_right() {
  run_.tally().right();
  settled();
}

void Session::settle_wrong(std::string_view why) {
  run_.tally().wrong(number_, why);
  settled();
}

void Session::lose(Loss how) {
  if (!asking_) return;
  asking_ = false;
  run_.tally().lost(number_, how);
}

void Session::expire() {
  if (!ready_) run_.tally().refused(ETIMEDOUT);
  lose(Loss::kTimedOut);
  close();
  on_closed();
}

void Session::give_up() {
  lose(Loss::kTimedOut);
}

void Session::on_refused(int error) {
  run_.tally().refused(error);
  reset();
  run_.on_down(*this);
}

void Session::on_end(bool /*orderly*/, std::span<const char> left) {
  if (ready_ && !asking_) ++run_.tally().closed_idle;
  lose(answer_began() || !left.empty() ? Loss::kCut : Loss::kUnanswered);
}

void Session::on_closed() {
  ready_ = false;
  reset();
  run_.on_down(*this);
}

}  // namespace tercel::load
