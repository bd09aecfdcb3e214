// Addresses of names, asked for without waiting, and kept for as long as they hold.
//
//   const auto found = resolver.resolve("s3.example.com", waiter);
//   if (found.state == Resolver::State::kKnown) connect(found.addresses);
//   ...
//   void on_resolved(const Resolver::Found& found) noexcept override { ... }  // Of the waiter.
//
// A name is asked for once, however many wait. Answers are kept as long as they say, within bounds;
// after that they are used on while new ones are asked for, for an hour at most: a resolver that is
// gone does not take the service with it. A name that does not exist is believed for some seconds.
// A literal address is itself. c-ares, which is loaded for the first name, reads /etc/hosts, and
// /etc/resolv.conf at that time. Addresses come with their families in turn, for who tries them in
// order (connector.h).
//
// Resource: one a loop. Thread: the loop's. Source: RFC 1034, RFC 8305 section 4, RFC 8767 (stale
// answers). Tested by resolver_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tercel/base/address.h"
#include "tercel/base/errors.h"
#include "tercel/base/intrusive_list.h"
#include "tercel/net/loop.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace tercel::net {

struct ResolverOptions {
  // Servers to ask, as "192.0.2.1:53,[2001:db8::1]:53"; empty: those of the system.
  std::string servers;
  std::chrono::milliseconds query_timeout{2000};  // For the first try; there are two.
};

class Resolver final : private Timer {
 public:
  static constexpr std::size_t kNamesMax = 1024;
  static constexpr std::size_t kAddressesMax = 16;
  static constexpr std::chrono::seconds kHoldsMin{1};
  static constexpr std::chrono::seconds kHoldsMax{300};
  static constexpr std::chrono::seconds kFailureHolds{3};
  static constexpr std::chrono::seconds kStaleMax{3600};

  enum class State : std::uint8_t { kKnown, kFailed, kWaits };
  struct Found {
    State state;
    // Without ports. Valid during the call that gives them, or until the next one.
    std::span<const Address> addresses = {};
    Errc error = Errc::kUpstreamUnknown;  // Or kNoMemory, or kSystem: c-ares is not there.
  };

  // Who waits for a name. Leaves by itself when it is destroyed.
  class Waiter : public tercel::ListNode {
   public:
    // kKnown or kFailed. From inside of a turn of the loop, never of resolve(). May ask for names,
    // and must not destroy the resolver.
    virtual void on_resolved(const Found& found) noexcept = 0;

   protected:
    ~Waiter() = default;
  };

  explicit Resolver(Loop& loop, ResolverOptions options = {}) noexcept
      : loop_{loop}, options_{std::move(options)} {}
  ~Resolver() override;

  // With kWaits the waiter is told later. REQUIRES: it waits for nothing else.
  [[nodiscard]] Found resolve(std::string_view name, Waiter& waiter) noexcept;

 private:
  struct Name {
    Resolver* owner = nullptr;
    std::vector<Address> addresses;
    std::chrono::nanoseconds fresh_until{0};
    std::chrono::nanoseconds until{0};         // Of addresses.
    std::chrono::nanoseconds failed_until{0};  // That there are none.
    IntrusiveList<Waiter> waiters;
    bool asked = false;
    bool telling = false;  // Its waiters, now.
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct Socket final : Watcher {
    void on_ready(std::uint32_t readiness) noexcept override { owner->on_socket(fd, readiness); }
    Resolver* owner = nullptr;
    int fd = -1;
    WatchId watch = WatchId::kNone;
  };

  [[nodiscard]] bool open() noexcept;
  [[nodiscard]] Name* name_of(std::string_view text) noexcept;
  void ask(const std::string& text, Name& name) noexcept;
  static void on_answer(void* name, int status, int timeouts, ares_addrinfo* result) noexcept;
  void take(Name& name, int status, const ares_addrinfo* result) noexcept;
  [[nodiscard]] Found found_in(const Name& name) const noexcept;
  static void on_socket_state(void* self, int fd, int readable, int writable) noexcept;
  void watch(int fd, std::uint32_t readiness) noexcept;
  void on_socket(int fd, std::uint32_t readiness) noexcept;
  void on_timer() noexcept override;
  void process(int read_fd, int write_fd) noexcept;
  // For the next time limit of c-ares. Only process() goes through those that are over: from inside
  // of resolve() nobody else is to be told.
  void arm() noexcept;

  Loop& loop_;
  const ResolverOptions options_;
  ares_channeldata* channel_ = nullptr;
  // The names are the operator's: no peer chooses one.
  std::unordered_map<std::string, Name, Hash, std::equal_to<>> names_;
  Address literal_;
  std::vector<std::unique_ptr<Socket>> sockets_;  // Those that are not in use have no descriptor.
  bool asking_ = false;                           // Inside of ares_getaddrinfo().
  bool closing_ = false;
};

}  // namespace tercel::net
