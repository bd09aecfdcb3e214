// Requests at a fixed rate, and how long each waited: the latency that wrk cannot measure.
//
//   paced PORT CONNECTIONS REQUESTS_PER_S WARMUP_S SECONDS
//
// A client that sends the next request when the last was answered waits politely while the server
// stalls, and so leaves out the very requests that would have waited (coordinated omission). Here
// every request has a time at which it is due, whatever the server does, and its latency counts
// from that time, also when no connection was free. Prints one JSON object; times in microseconds.
// Exits with 1 when the server closed a connection, or did not hold the rate to the end.
// It spins: give it a core of its own.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
constexpr std::string_view kBodyEnd = "\"Hello\"}";
constexpr int kEventsMax = 1024;
// A server that is further behind than this when the time is over does not hold the rate.
constexpr std::chrono::milliseconds kBehindMax{500};

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "paced: %s\n", what);
  std::exit(1);
}

int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    die("cannot connect");
  }
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

class Pacer {
 public:
  Pacer(std::uint16_t port, int connections, double requests_per_s)
      : epoll_(epoll_create1(EPOLL_CLOEXEC)),
        interval_(static_cast<std::int64_t>(1e9 / requests_per_s)) {
    for (int i = 0; i < connections; ++i) {
      const int fd = connect_to(port);
      epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
      if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl failed");
      free_.push_back(fd);
      due_of_.resize(std::max(due_of_.size(), static_cast<std::size_t>(fd) + 1));
    }
    connections_ = free_.size();
  }

  // Sends requests for `duration`, waits for the last answers, and returns every latency.
  std::vector<nanoseconds> run(nanoseconds duration) {
    latencies_.clear();
    latencies_.reserve(static_cast<std::size_t>(duration / interval_) + 1);
    Clock::time_point due = Clock::now();
    const Clock::time_point end = due + duration;
    while (due < end || free_.size() < connections_) {
      const Clock::time_point now = Clock::now();
      if (now > end + kBehindMax) die("the server does not hold this rate");
      while (due < end && due <= now && !free_.empty()) {
        send_due(due);
        due += interval_;
      }
      receive();
    }
    return std::move(latencies_);
  }

 private:
  void send_due(Clock::time_point due) {
    const int fd = free_.back();
    free_.pop_back();
    due_of_[static_cast<std::size_t>(fd)] = due;
    const ssize_t sent = send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(kRequest.size())) die("cannot send");
  }

  void receive() {
    std::array<epoll_event, kEventsMax> events;
    std::array<char, 4096> answer;
    const int count = epoll_wait(epoll_, events.data(), kEventsMax, 0);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      const ssize_t got = recv(fd, answer.data(), answer.size(), 0);
      if (got <= 0) die("the server closed a connection");
      // Head and body may come apart; only the body ends so.
      if (!std::string_view(answer.data(), static_cast<std::size_t>(got)).ends_with(kBodyEnd)) {
        continue;
      }
      latencies_.push_back(Clock::now() - due_of_[static_cast<std::size_t>(fd)]);
      free_.push_back(fd);
    }
  }

  int epoll_;
  nanoseconds interval_;
  std::size_t connections_ = 0;
  std::vector<int> free_;
  std::vector<Clock::time_point> due_of_;  // Indexed by descriptor.
  std::vector<nanoseconds> latencies_;
};

double percentile_us(const std::vector<nanoseconds>& sorted, double percent) {
  const auto last = static_cast<double>(sorted.size() - 1);
  const auto index = static_cast<std::size_t>(last * percent / 100);
  return static_cast<double>(sorted[index].count()) / 1e3;
}

nanoseconds seconds(const char* text) {
  return nanoseconds(static_cast<std::int64_t>(std::atof(text) * 1e9));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: paced PORT CONNECTIONS REQUESTS_PER_S WARMUP_S SECONDS\n", stderr);
    return 2;
  }
  Pacer pacer(static_cast<std::uint16_t>(std::atoi(argv[1])), std::atoi(argv[2]),
              std::atof(argv[3]));
  (void)pacer.run(seconds(argv[4]));
  std::vector<nanoseconds> latencies = pacer.run(seconds(argv[5]));
  std::sort(latencies.begin(), latencies.end());
  std::printf(
      "{\"requests\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, "
      "\"max_us\": %.1f}\n",
      latencies.size(), percentile_us(latencies, 50), percentile_us(latencies, 99),
      percentile_us(latencies, 99.9), percentile_us(latencies, 100));
}
