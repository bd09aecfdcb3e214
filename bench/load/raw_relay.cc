// The system calls of a proxy and nothing else: what arrives on a connection goes on, on another.
//
//   raw_relay copy|pipe KIB PORT ORIGIN_PORT
//
// Every connection of a client has one to the origin on loopback. Nothing is parsed, so what a
// proxy of HTTP costs above this is its own. Bytes are moved KIB at a time at most: by recv() and
// send() through memory, or by splice() through a pipe of that size. As in every proxy, what the
// receiver does not take is kept, and nothing more is read until it has gone. Descriptors are
// watched once, edge-triggered, as tercel does.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr int kBacklog = 4096;
constexpr int kEventsMax = 256;
constexpr unsigned kSplice = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int listen_on(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  const sockaddr_in address = loopback(port);
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) die("setsockopt");
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
  if (listen(fd, kBacklog) != 0) die("listen");
  return fd;
}

int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("connect");
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) die("fcntl");
  return fd;
}

// Has what was read and not yet written.
struct Store {
  std::vector<char> memory;
  std::array<int, 2> pipe{-1, -1};
  std::size_t begin = 0;
  std::size_t held = 0;
};

// Lends stores for as long as they have something, the one given back last first: what it has is
// in the processor's caches.
class Stores {
 public:
  Stores(bool pipes, std::size_t bytes) : pipes_(pipes), bytes_(bytes) {}

  Store borrow() {
    if (!spare_.empty()) {
      Store store = std::move(spare_.back());
      spare_.pop_back();
      return store;
    }
    Store store;
    if (!pipes_) {
      store.memory.resize(bytes_);
      return store;
    }
    if (pipe2(store.pipe.data(), O_NONBLOCK | O_CLOEXEC) != 0) die("pipe2");
    if (fcntl(store.pipe[0], F_SETPIPE_SZ, static_cast<int>(bytes_)) < 0) die("F_SETPIPE_SZ");
    return store;
  }

  void give_back(Store store) {
    if (store.held == 0) {
      spare_.push_back(std::move(store));
    } else if (pipes_) {
      for (const int fd : store.pipe) close(fd);
    }
  }

  ssize_t read(Store& store, int from) const {
    store.begin = 0;
    return pipes_ ? splice(from, nullptr, store.pipe[1], nullptr, bytes_, kSplice)
                  : recv(from, store.memory.data(), bytes_, 0);
  }

  ssize_t write(const Store& store, int to) const {
    return pipes_ ? splice(store.pipe[0], nullptr, to, nullptr, store.held, kSplice)
                  : send(to, store.memory.data() + store.begin, store.held, MSG_NOSIGNAL);
  }

  // A pipe is full when its pages are, however little each of them has.
  bool is_all(std::size_t bytes_read) const { return !pipes_ && bytes_read < bytes_; }

 private:
  bool pipes_;
  std::size_t bytes_;
  std::vector<Store> spare_;
};

// One direction of a pair of connections, of the client and to the origin.
struct Way {
  int from;
  int to;
  Way* back = nullptr;
  Store store{};
  bool drained = false;
  bool ended = false;
};

using Pair = std::array<Way, 2>;

enum class Result { kWaits, kEnded };

// Moves what there is, until one side has to wait.
Result pump(Way& way, Stores& stores) {
  for (;;) {
    if (way.store.held == 0) {
      if (way.drained) return Result::kWaits;
      Store store = stores.borrow();
      const ssize_t got = stores.read(store, way.from);
      store.held = got > 0 ? static_cast<std::size_t>(got) : 0;
      way.drained = got < 0 || stores.is_all(store.held);
      if (got <= 0) {
        stores.give_back(std::move(store));
        return got < 0 && errno == EAGAIN ? Result::kWaits : Result::kEnded;
      }
      way.store = std::move(store);
    }
    const ssize_t sent = stores.write(way.store, way.to);
    if (sent < 0) return errno == EAGAIN ? Result::kWaits : Result::kEnded;
    way.store.begin += static_cast<std::size_t>(sent);
    way.store.held -= static_cast<std::size_t>(sent);
    if (way.store.held == 0) stores.give_back(std::exchange(way.store, {}));
  }
}

class Relay {
 public:
  Relay(Stores stores, std::uint16_t port, std::uint16_t origin)
      : stores_(std::move(stores)), listener_(listen_on(port)), origin_(origin) {
    watch(listener_, EPOLLIN, nullptr);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, kEventsMax> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), kEventsMax, -1);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.ptr == nullptr) {
          accept_all();
        } else {
          serve(*static_cast<Way*>(event.data.ptr), event.events);
        }
      }
      // Only now: an event of this turn may be of the other connection of a pair that has ended.
      std::erase_if(pairs_, [](const Pair& pair) { return pair.front().ended; });
    }
  }

 private:
  void watch(int fd, std::uint32_t events, void* data) const {
    epoll_event event{.events = events, .data = {.ptr = data}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
  }

  void accept_all() {
    for (;;) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client < 0) return;
      const int origin = connect_to(origin_);
      Pair& pair = pairs_.emplace_back(Pair{Way{client, origin}, Way{origin, client}});
      pair[0].back = &pair[1];
      pair[1].back = &pair[0];
      for (Way& way : pair) {
        const int on = 1;
        (void)setsockopt(way.from, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(way.from, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &way);
      }
    }
  }

  // Of the connection from which `way` reads, and into which the way back writes.
  void serve(Way& way, std::uint32_t events) {
    Way& back = *way.back;
    if (way.ended) return;
    Result result = Result::kWaits;
    if ((events & EPOLLOUT) != 0 && back.store.held > 0) result = pump(back, stores_);
    if (result == Result::kWaits && (events & EPOLLIN) != 0) {
      way.drained = false;
      result = pump(way, stores_);
    }
    if (result == Result::kEnded || (events & (EPOLLRDHUP | EPOLLHUP)) != 0) end(way, back);
  }

  // A proxy lets what is on its way arrive first; loads of requests that were answered need not.
  void end(Way& way, Way& back) {
    for (Way* each : {&way, &back}) {
      each->ended = true;
      close(each->from);
      if (each->store.held > 0) stores_.give_back(std::exchange(each->store, {}));
    }
  }

  Stores stores_;
  int listener_;
  std::uint16_t origin_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::list<Pair> pairs_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view way = argc == 5 ? argv[1] : "";
  const std::size_t bytes = argc == 5 ? std::strtoul(argv[2], nullptr, 10) << 10 : 0;
  if ((way != "copy" && way != "pipe") || bytes == 0) {
    std::fputs("usage: raw_relay copy|pipe KIB PORT ORIGIN_PORT\n", stderr);
    return 2;
  }
  // splice() has no MSG_NOSIGNAL.
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) die("signal");
  Relay(Stores(way == "pipe", bytes), static_cast<std::uint16_t>(std::atoi(argv[3])),
        static_cast<std::uint16_t>(std::atoi(argv[4])))
      .run();
}
