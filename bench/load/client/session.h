// One connection with what was asked on it: what all protocols have in common.
//
// A resource, see link.h. Tells its run of every change.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "link.h"
#include "tally.h"

namespace tercel::load {

class Run;

class Session : public Link {
 public:
  // Sends the next request. `due`: from when its latency counts. REQUIRES: ready(), !asking().
  void ask(std::chrono::nanoseconds due);
  // Ends politely what the protocol ends so. The connection is closed next.
  virtual void leave() {}

  // Requests can be sent, or could but for the one under way.
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  [[nodiscard]] bool asking() const noexcept { return asking_; }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] std::chrono::nanoseconds asked_at() const noexcept { return asked_at_; }
  // Since when it connects, or asks.
  [[nodiscard]] std::chrono::nanoseconds since() const noexcept { return since_; }

  void connect();
  // It took too long: a request under way is lost, the connection closed and reported.
  void expire();
  // The load is over: a request under way is lost.
  void give_up();

  bool was_open = false;  // The run counted it among those that it waits for.

 protected:
  explicit Session(Run& run) noexcept;

  virtual void send_request(std::uint64_t number) = 0;
  // Whether a byte of the answer is here.
  [[nodiscard]] virtual bool answer_began() const noexcept = 0;
  virtual void reset() noexcept = 0;

  void set_ready();
  // The request under way is settled, right or wrong. `why` is a literal.
  void settle_right();
  void settle_wrong(std::string_view why);
  void on_refused(int error) override;
  void on_end(bool orderly, std::span<const char> left) override;
  void on_closed() override;

  Run& run_;

 private:
  void lose(Loss how);
  void settled();

  bool ready_ = false;
  bool asking_ = false;
  std::uint64_t number_ = 0;
  std::chrono::nanoseconds asked_at_{0};
  std::chrono::nanoseconds since_{0};
};

}  // namespace tercel::load
