#include "tercel/server/threaded_server.h"

#include <algorithm>
#include <utility>

#include "tercel/base/assert.h"
#include "tercel/base/log.h"

namespace tercel::server {
namespace {

using std::chrono::milliseconds;

// How long an order may take: a thread is in the middle of a turn.
constexpr milliseconds kOrderPatience{1000};

// A limit of 0 is none, so nobody may get a share of 0.
std::size_t threads_for(std::size_t wanted, const Options& options) noexcept {
  for (const std::size_t limit : {options.connections_max, options.requests_max}) {
    if (limit != 0) wanted = std::min(wanted, limit);
  }
  return wanted;
}

Options options_for(const Options& options, std::size_t index, std::size_t count) {
  Options share = options;
  share.connections_max = share_of(options.connections_max, index, count);
  share.requests_max = share_of(options.requests_max, index, count);
  share.queued_max = share_of(options.queued_max, index, count);
  return share;
}

}  // namespace

Result<std::unique_ptr<ThreadedServer>> ThreadedServer::create(net::Loop& app_loop,
                                                               http::Handler& handler,
                                                               const Options& options,
                                                               std::size_t threads,
                                                               const IoThread::Wrap& wrap) {
  auto app = AppEnd::create(app_loop, handler, options.limits.output_high_water_bytes);
  if (!app) return fail(app.error());
  std::unique_ptr<ThreadedServer> server{new ThreadedServer(options)};
  server->app_ = *std::move(app);
  const auto connect = [&](net::Loop& loop) { return IoEnd::create(loop, *server->app_); };
  if (auto added = server->add_threads(app_loop.syscalls(), connect, wrap, options, threads);
      !added) {
    return fail(added.error());
  }
  return server;
}

Result<std::unique_ptr<ThreadedServer>> ThreadedServer::create(net::Syscalls& syscalls,
                                                               ThreadPool& pool,
                                                               const Options& options,
                                                               std::size_t threads,
                                                               const IoThread::Wrap& wrap) {
  std::unique_ptr<ThreadedServer> server{new ThreadedServer(options)};
  server->pool_ = &pool;
  const auto connect = [&](net::Loop& loop) { return pool.connect(loop); };
  if (auto added = server->add_threads(syscalls, connect, wrap, options, threads); !added) {
    return fail(added.error());
  }
  return server;
}

ThreadedServer::ThreadedServer(const Options& options)
    : counts_{std::make_unique<ClientCounts>(options.connections_per_client_max)} {}

Result<void> ThreadedServer::add_threads(net::Syscalls& syscalls, const IoThread::Connect& connect,
                                         const IoThread::Wrap& wrap, const Options& options,
                                         std::size_t threads) {
  const std::size_t count = threads_for(threads, options);
  for (std::size_t i = 0; i < count; ++i) {
    auto thread =
        IoThread::create(*clock_, syscalls, connect, wrap, options_for(options, i, count));
    if (!thread) return fail(thread.error());
    (*thread)->server().share_counts(*counts_);
    threads_.push_back(*std::move(thread));
  }
  return {};
}

ThreadedServer::~ThreadedServer() {
  close();
  const auto runs = [](const auto& thread) { return thread->running(); };
  if (!is_ours() || std::ranges::any_of(threads_, runs)) abandon();
}

// Somebody may still touch it, or it belongs to another process.
void ThreadedServer::abandon() noexcept {
  for (auto& thread : threads_) static_cast<void>(thread.release());
  static_cast<void>(app_.release());
  static_cast<void>(counts_.release());
  static_cast<void>(clock_.release());
}

bool ThreadedServer::is_ours() const noexcept {
  return process_.here();
}

Result<void> ThreadedServer::listen(net::ListenSocket socket) {
  sockets_.push_back(std::move(socket));
  return {};
}

Result<void> ThreadedServer::start() {
  if (pool_ != nullptr) {
    if (auto started = pool_->start(); !started) return started;
  }
  unsigned number = 0;
  for (const auto& thread : threads_) {
    if (auto started = start_thread(*thread, number++); !started) {
      static_cast<void>(stop());
      return started;
    }
  }
  return {};
}

Result<void> ThreadedServer::start_thread(IoThread& thread, unsigned number) {
  for (const net::ListenSocket& socket : sockets_) {
    auto duplicate = socket.duplicate();
    if (!duplicate) return fail(duplicate.error());
    if (auto added = thread.server().listen(*std::move(duplicate)); !added) return added;
  }
  if (auto started = thread.server().start(); !started) return started;
  return thread.run(number);
}

void ThreadedServer::secure(const net::TlsContext& context) noexcept {
  if (!is_ours()) return;
  for (const auto& thread : threads_) thread->next_tls(context);
  order(IoThread::Order::kSecure);
}

void ThreadedServer::drain() noexcept {
  if (!is_ours()) return;
  // Last before the threads take what is in the backlog: with their duplicates the socket goes.
  for (net::ListenSocket& socket : sockets_) socket.close();
  order(IoThread::Order::kDrain);
}

void ThreadedServer::notify_draining() noexcept {
  if (is_ours()) order(IoThread::Order::kNotifyDraining);
}

void ThreadedServer::order(IoThread::Order order) noexcept {
  for (const auto& thread : threads_) {
    if (thread->running()) thread->give(order);
  }
  for (const auto& thread : threads_) {
    if (thread->running() && !thread->await(kOrderPatience)) {
      log(LogLevel::kWarning, "an I/O thread is slow to follow");
    }
  }
}

bool ThreadedServer::stop() noexcept {
  if (!is_ours()) return false;
  for (net::ListenSocket& socket : sockets_) socket.close();
  for (const auto& thread : threads_) {
    if (thread->running()) thread->give(IoThread::Order::kStop);
  }
  // Patience is for all together, and once.
  const auto until = clock_->now() + (left_behind_ ? milliseconds{0} : kPatience);
  bool all = true;
  for (const auto& thread : threads_) {
    const auto left = std::chrono::floor<milliseconds>(until - clock_->now());
    all &= thread->join(std::max(left, milliseconds{0}));
  }
  if (!all && !std::exchange(left_behind_, true)) {
    log(LogLevel::kError, "an I/O thread does not end: it is left behind");
  }
  return all && (pool_ == nullptr || stop_pool(until));
}

// Whoever waits in a handler learns that its exchange is over. This thread does what the I/O
// threads did.
bool ThreadedServer::stop_pool(std::chrono::nanoseconds until) noexcept {
  constexpr milliseconds kStep{5};
  pool_->stop();
  for (const auto& thread : threads_) {
    thread->server().close();
    thread->end().flush();
  }
  for (;;) {
    const bool last = clock_->now() >= until;
    const bool ended = pool_->join(last ? milliseconds{0} : kStep);
    for (const auto& thread : threads_) static_cast<void>(thread->end().work_off());
    if (ended) return true;
    if (last) break;
  }
  if (!std::exchange(left_behind_, true)) {
    log(LogLevel::kError, "threads of the application do not end: they are left behind");
  }
  return false;
}

void ThreadedServer::close() noexcept {
  if (stop()) end_exchanges();
}

// This thread is the only one by now, and does the work of both sides until nothing is left.
void ThreadedServer::end_exchanges() noexcept {
  if (app_ != nullptr) app_->refuse();
  for (const auto& thread : threads_) {
    thread->server().close();
    thread->end().flush();
  }
  for (bool any = true; any;) {
    any = app_ != nullptr ? app_->work_off() : pool_->work_off();
    for (const auto& thread : threads_) any |= thread->end().work_off();
  }
  for (const auto& thread : threads_) {
    static_cast<void>(TERCEL_BUG_IF(thread->end().crossings() != 0));
    thread->publish();
  }
}

std::size_t ThreadedServer::connections() const noexcept {
  std::size_t sum = 0;
  for (const auto& thread : threads_) sum += thread->connections();
  return sum;
}

std::size_t ThreadedServer::active() const noexcept {
  std::size_t sum = 0;
  for (const auto& thread : threads_) sum += thread->active();
  return sum;
}

}  // namespace tercel::server
