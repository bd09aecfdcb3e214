#include "tercel/server/io_thread.h"

#include <string>
#include <utility>

#include "tercel/base/log.h"

namespace tercel::server {

Result<std::unique_ptr<IoThread>> IoThread::create(const Clock& clock, net::Syscalls& syscalls,
                                                   const Connect& connect, const Wrap& wrap,
                                                   const Options& options) {
  auto loop = net::Loop::create(clock, syscalls);
  if (!loop) return fail(loop.error());
  auto end = connect(**loop);
  if (!end) return fail(end.error());
  return std::unique_ptr<IoThread>{new IoThread(*std::move(loop), *std::move(end), wrap, options)};
}

IoThread::IoThread(std::unique_ptr<net::Loop> loop, std::unique_ptr<IoEnd> end, const Wrap& wrap,
                   const Options& options)
    : loop_{std::move(loop)},
      end_{std::move(end)},
      around_{wrap ? wrap(*end_, *loop_) : nullptr},
      server_{*loop_, around_ ? *around_ : *end_, options} {}

Result<void> IoThread::run(unsigned number) noexcept {
  const std::string name = "tercel-io-" + std::to_string(number);  // 15 bytes at most.
  return thread_.run(name.c_str(), &IoThread::main, this);
}

void* IoThread::main(void* self) noexcept {
  static_cast<IoThread*>(self)->turn_until_stopped();
  return nullptr;
}

void IoThread::turn_until_stopped() noexcept {
  do {
    if (!loop_->wait(std::chrono::nanoseconds{-1})) {
      log(LogLevel::kError, "an I/O thread ends: it cannot wait for events");
      return;
    }
    loop_->dispatch();
    end_->flush();
    publish();
  } while (orders_.load(std::memory_order_relaxed) == 0 || obey());
}

bool IoThread::obey() noexcept {
  const std::uint32_t orders = orders_.exchange(0, std::memory_order_acquire);
  const auto given = [orders](Order order) {
    return (orders & static_cast<std::uint32_t>(order)) != 0;
  };
  if (given(Order::kStop)) return false;
  if (given(Order::kSecure)) server_.secure(*next_tls_);
  if (given(Order::kDrain)) server_.drain();
  if (given(Order::kNotifyDraining)) server_.notify_draining();
  end_->flush();
  publish();
  obeyed_.release();
  return true;
}

void IoThread::publish() noexcept {
  connections_.store(server_.connections(), std::memory_order_relaxed);
  active_.store(server_.active(), std::memory_order_relaxed);
}

void IoThread::give(Order order) noexcept {
  // What an order left that was waited for in vain.
  while (obeyed_.try_acquire()) {
  }
  orders_.fetch_or(static_cast<std::uint32_t>(order), std::memory_order_release);
  loop_->wake();
}

bool IoThread::await(std::chrono::milliseconds patience) noexcept {
  return obeyed_.try_acquire_for(patience);
}

}  // namespace tercel::server
