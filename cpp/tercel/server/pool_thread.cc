#include "tercel/server/pool_thread.h"

#include <string>
#include <utility>

#include "tercel/base/log.h"

namespace tercel::server {

Result<std::unique_ptr<PoolThread>> PoolThread::create(const Clock& clock, net::Syscalls& syscalls,
                                                       BlockingHandler& handler,
                                                       RequestQueue& queue,
                                                       std::size_t high_water_bytes) {
  auto loop = net::Loop::create(clock, syscalls);
  if (!loop) return fail(loop.error());
  std::unique_ptr<PoolThread> thread{new PoolThread(*std::move(loop), handler, queue)};
  auto end = AppEnd::create(*thread->loop_, *thread, high_water_bytes);
  if (!end) return fail(end.error());
  thread->end_ = *std::move(end);
  return thread;
}

Result<void> PoolThread::run(unsigned number) noexcept {
  const std::string name = "tercel-app-" + std::to_string(number);  // 15 bytes at most.
  return thread_.run(name.c_str(), &PoolThread::main, this);
}

void PoolThread::stop() noexcept {
  stopping_.store(true, std::memory_order_relaxed);
  loop_->wake();
}

void* PoolThread::main(void* self) noexcept {
  static_cast<PoolThread*>(self)->work_until_stopped();
  return nullptr;
}

void PoolThread::work_until_stopped() noexcept {
  handler_.begin_thread();
  bool able = true;
  while (able && !stopping_.load(std::memory_order_relaxed)) {
    if (Mail* const letter = queue_.take(taker_)) {
      busy_.store(true, std::memory_order_relaxed);
      end_->take(*letter);
      busy_.store(false, std::memory_order_relaxed);
      // What came back of earlier answers must not wait for a pause.
      static_cast<void>(end_->work_off());
    } else {
      able = turn();
    }
  }
  handler_.end_thread();
}

bool PoolThread::turn() noexcept {
  if (!loop_->wait(std::chrono::nanoseconds{-1})) {
    log(LogLevel::kError, "a thread of the application ends: it cannot wait for events");
    return false;
  }
  loop_->dispatch();
  return true;
}

void PoolThread::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  handler_.handle(request, exchange, *this);
}

void PoolThread::poll() noexcept {
  end_->flush();
  static_cast<void>(end_->work_off());
}

void PoolThread::wait() noexcept {
  end_->flush();
  static_cast<void>(turn());
}

}  // namespace tercel::server
