#include "tercel/net/resolver.h"

#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "tercel/base/log.h"
#include "tercel/net/cares.h"
#include "tercel/net/socket_address.h"

namespace tercel::net {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

// Those of the two families in turn, beginning with the first. c-ares has put each in the order of
// RFC 6724.
void take_turns(std::vector<Address>& addresses) {
  std::vector<Address> first;
  std::vector<Address> other;
  for (const Address& address : addresses) {
    (address.kind == addresses.front().kind ? first : other).push_back(address);
  }
  addresses.clear();
  for (std::size_t i = 0; i < std::max(first.size(), other.size()); ++i) {
    if (i < first.size()) addresses.push_back(first[i]);
    if (i < other.size()) addresses.push_back(other[i]);
  }
}

}  // namespace

Resolver::~Resolver() {
  closing_ = true;
  if (channel_ != nullptr) find_cares()->ares_destroy(channel_);
}

bool Resolver::open() noexcept {
  if (channel_ != nullptr) return true;
  const Cares* const cares = find_cares();
  if (cares == nullptr) {
    log(LogLevel::kError,
        "Names cannot be resolved: the library c-ares (libcares.so.2) cannot be loaded; install "
        "it, Debian's package is libc-ares2.");
    return false;
  }
  ares_options options{};
  options.sock_state_cb = &on_socket_state;
  options.sock_state_cb_data = this;
  options.timeout = static_cast<int>(options_.query_timeout.count());
  options.tries = 2;
  constexpr int kGiven = ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
  if (cares->ares_init_options(&channel_, &options, kGiven) != ARES_SUCCESS) {
    channel_ = nullptr;
    return false;
  }
  const std::string& servers = options_.servers;
  if (servers.empty() ||
      cares->ares_set_servers_ports_csv(channel_, servers.c_str()) == ARES_SUCCESS) {
    return true;
  }
  // Else the next name would be asked of the system's servers.
  cares->ares_destroy(std::exchange(channel_, nullptr));
  return false;
}

Resolver::Found Resolver::found_in(const Name& name) const noexcept {
  const nanoseconds now = loop_.now();
  if (now < name.until) return {State::kKnown, name.addresses};
  return {now < name.failed_until ? State::kFailed : State::kWaits};
}

Resolver::Found Resolver::resolve(std::string_view text, Waiter& waiter) noexcept {
  if (const auto literal = parse_ip(text, 0)) {
    literal_ = *literal;
    return {State::kKnown, {&literal_, 1}};
  }
  if (!open()) return {State::kFailed, {}, Errc::kSystem};
  Name* const name = name_of(text);
  if (name == nullptr) return {State::kFailed, {}, Errc::kNoMemory};
  const nanoseconds now = loop_.now();
  if (!name->asked && now >= name->fresh_until && now >= name->failed_until) {
    ask(names_.find(text)->first, *name);
  }
  Found found = found_in(*name);
  if (found.state == State::kWaits) {
    // What was answered at once and holds for no time is a failure of memory.
    if (name->asked) {
      name->waiters.push_back(waiter);
    } else {
      found = {State::kFailed, {}, Errc::kNoMemory};
    }
  }
  return found;
}

Resolver::Name* Resolver::name_of(std::string_view text) noexcept {
  if (const auto found = names_.find(text); found != names_.end()) return &found->second;
  if (names_.size() == kNamesMax) {
    const auto idle = std::ranges::find_if(
        names_, [&](const auto& entry) { return !entry.second.asked && !entry.second.telling; });
    if (idle == names_.end()) return nullptr;
    names_.erase(idle);
  }
  try {
    Name& name = names_.try_emplace(std::string{text}).first->second;
    name.owner = this;
    return &name;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void Resolver::ask(const std::string& text, Name& name) noexcept {
  name.asked = true;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  asking_ = true;
  find_cares()->ares_getaddrinfo(channel_, text.c_str(), nullptr, &hints, &on_answer, &name);
  asking_ = false;
  arm();
}

void Resolver::on_answer(void* name, int status, int /*timeouts*/, ares_addrinfo* result) noexcept {
  auto& of = *static_cast<Name*>(name);
  if (!of.owner->closing_) of.owner->take(of, status, result);
  if (result != nullptr) find_cares()->ares_freeaddrinfo(result);
}

void Resolver::take(Name& name, int status, const ares_addrinfo* result) noexcept {
  name.asked = false;
  const nanoseconds now = loop_.now();
  bool known = false;
  try {
    std::vector<Address> addresses;
    int ttl = std::numeric_limits<int>::max();
    for (const auto* node = status == ARES_SUCCESS ? result->nodes : nullptr; node != nullptr;
         node = node->ai_next) {
      SocketAddress address;
      if (node->ai_addrlen > sizeof address.storage) continue;
      std::memcpy(&address.storage, node->ai_addr, node->ai_addrlen);
      addresses.push_back(from_socket_address(address));
      ttl = std::min(ttl, node->ai_ttl);
      if (addresses.size() == kAddressesMax) break;
    }
    known = !addresses.empty();
    if (known) {
      take_turns(addresses);
      name.addresses = std::move(addresses);
      name.fresh_until = now + std::clamp(seconds{ttl}, kHoldsMin, kHoldsMax);
      name.until = name.fresh_until + kStaleMax;
      name.failed_until = nanoseconds{0};
    }
  } catch (const std::bad_alloc&) {
  }
  if (!known) name.failed_until = now + kFailureHolds;
  // A name that is known is not to be forgotten while its server is gone; one that is no more is.
  if (status == ARES_ENOTFOUND || status == ARES_ENODATA) name.until = nanoseconds{0};
  if (asking_) return;  // resolve() sees what it has become.
  IntrusiveList<Waiter> waiters;
  waiters.take_all(name.waiters);
  name.telling = true;  // A waiter may ask for another name, which must not take the place of this.
  while (Waiter* const waiter = waiters.pop_front()) {
    const Found found = found_in(name);
    waiter->on_resolved(found.state == State::kWaits ? Found{State::kFailed} : found);
  }
  name.telling = false;
}

// --- c-ares on the loop

void Resolver::on_socket_state(void* self, int fd, int readable, int writable) noexcept {
  const std::uint32_t readiness =
      (readable != 0 ? kReadable : 0U) | (writable != 0 ? kWritable : 0U);
  static_cast<Resolver*>(self)->watch(fd, readiness);
}

void Resolver::watch(int fd, std::uint32_t readiness) noexcept {
  auto found = std::ranges::find_if(sockets_, [&](const auto& one) { return one->fd == fd; });
  if (found != sockets_.end()) {
    Socket& socket = **found;
    if (readiness == 0) {
      loop_.unwatch(std::exchange(socket.watch, WatchId::kNone), std::exchange(socket.fd, -1));
    } else {
      static_cast<void>(loop_.rewatch(socket.watch, fd, readiness, Trigger::kLevel));
    }
    return;
  }
  if (readiness == 0) return;
  try {
    found = std::ranges::find_if(sockets_, [](const auto& one) { return one->fd < 0; });
    if (found == sockets_.end()) {
      sockets_.push_back(std::make_unique<Socket>());
      found = sockets_.end() - 1;
    }
  } catch (const std::bad_alloc&) {
    return;  // The query ends by its time limit.
  }
  Socket& socket = **found;
  const auto watched = loop_.watch(fd, readiness, Trigger::kLevel, socket);
  if (!watched) return;
  socket.owner = this;
  socket.fd = fd;
  socket.watch = *watched;
}

void Resolver::on_socket(int fd, std::uint32_t readiness) noexcept {
  const bool failed = (readiness & (kError | kHangup)) != 0;
  process((readiness & kReadable) != 0 || failed ? fd : ARES_SOCKET_BAD,
          (readiness & kWritable) != 0 ? fd : ARES_SOCKET_BAD);
}

void Resolver::on_timer() noexcept {
  process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void Resolver::process(int read_fd, int write_fd) noexcept {
  find_cares()->ares_process_fd(channel_, read_fd, write_fd);
  arm();
}

void Resolver::arm() noexcept {
  timeval wait{};
  if (find_cares()->ares_timeout(channel_, nullptr, &wait) == nullptr) {
    return loop_.timers().cancel(*this);
  }
  loop_.timers().arm(*this,
                     loop_.now() + seconds{wait.tv_sec} + std::chrono::microseconds{wait.tv_usec});
}

}  // namespace tercel::net
