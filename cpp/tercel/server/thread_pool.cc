#include "tercel/server/thread_pool.h"

#include <algorithm>
#include <utility>

namespace tercel::server {

using std::chrono::milliseconds;

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(net::Syscalls& syscalls,
                                                       BlockingHandler& handler,
                                                       std::size_t threads,
                                                       std::size_t high_water_bytes) {
  std::unique_ptr<ThreadPool> pool{new ThreadPool(threads)};
  for (std::size_t i = 0; i < threads; ++i) {
    auto thread =
        PoolThread::create(pool->clock_, syscalls, handler, pool->queue_, high_water_bytes);
    if (!thread) return fail(thread.error());
    pool->threads_.push_back(*std::move(thread));
  }
  return pool;
}

Result<std::unique_ptr<IoEnd>> ThreadPool::connect(net::Loop& loop) {
  std::vector<AppEnd*> ends;
  for (const auto& thread : threads_) ends.push_back(&thread->end());
  return IoEnd::create(loop, queue_, ends);
}

Result<void> ThreadPool::start() {
  unsigned number = 0;
  for (const auto& thread : threads_) {
    if (auto started = thread->run(number++); !started) {
      stop();
      static_cast<void>(join(milliseconds{1000}));  // None of them has anything to do.
      return started;
    }
  }
  return {};
}

void ThreadPool::stop() noexcept {
  for (const auto& thread : threads_) thread->stop();
}

bool ThreadPool::join(milliseconds patience) noexcept {
  const auto until = clock_.now() + patience;
  bool all = true;
  for (const auto& thread : threads_) {
    const auto left = std::chrono::floor<milliseconds>(until - clock_.now());
    all &= thread->join(std::max(left, milliseconds{0}));
  }
  return all;
}

std::size_t ThreadPool::busy() const noexcept {
  const auto is_busy = [](const auto& thread) { return thread->busy(); };
  return static_cast<std::size_t>(std::ranges::count_if(threads_, is_busy));
}

bool ThreadPool::work_off() noexcept {
  bool any = false;
  AppEnd& end = threads_.front()->end();
  end.refuse();
  while (Mail* const letter = queue_.take()) {
    end.take(*letter);
    any = true;
  }
  for (const auto& thread : threads_) any |= thread->end().work_off();
  return any;
}

}  // namespace tercel::server
