// Lines of a log on their way to a file, a pipe or a terminal, without ever waiting for it.
//
//   auto file = LogFile::append_to(loop, "/var/log/access.log");
//   if (auto room = file->room(300); !room.empty()) file->commit(write_line(room));
//
// Lines collect in one buffer of kCapacity and are written together: soon after the first one, and
// then every kInterval or kBatch bytes, so a quiet server is prompt and a busy one makes few system
// calls. A reader that is stuck, or gone, or a full disk costs lines and nothing else: what does
// not fit is dropped by whole lines, counted, and told to base/log.h, at most every
// kReportInterval. Lines of up to 4096 bytes (PIPE_BUF) do not mix with those of other processes in
// the same pipe. Each thread that writes has a file of its own, in whichever process: with a gate
// that they share, no line mixes with those of another, however long it is. Who stands still in the
// middle of a line costs the others theirs meanwhile, as a reader does that is stuck. A regular
// file needs no gate; but a line that a full disk cuts goes on behind what others wrote meanwhile.
//
// Code that closes the descriptor behind our back gets it back as another file, such as a client's
// connection: before each write it is compared with what was opened. A path is opened again then;
// of what was shared, all lines are lost from there on.
//
// A file that was moved away or deleted is begun anew, so that rotating logs needs no signal: at
// most every kLookInterval, before lines are written, the file at the path is compared with the
// open one.
//
// A regular file is written with plain write(2), which waits for the disk when the kernel's cache
// is full. Resource: one thread. REQUIRES: the process ignores SIGPIPE, as Python does.
// Source: pipe(7), write(2). Tested by log_file_test.cc.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/edge/line_buffer.h"
#include "tercel/edge/line_gate.h"
#include "tercel/net/loop.h"

namespace tercel::edge {

class LogFile final : public LineBuffer,
                      private net::Watcher,
                      private net::Timer,
                      private net::Deferred {
 public:
  static constexpr std::size_t kCapacity = std::size_t{1} << 20;
  static constexpr std::size_t kBatch = std::size_t{32} << 10;
  static constexpr std::chrono::milliseconds kInterval{100};
  static constexpr std::chrono::seconds kRetryInterval{1};
  // After the gate was found taken: for one write, or for a reader that takes half a line.
  static constexpr std::chrono::milliseconds kGateInterval{10};
  static constexpr std::chrono::seconds kReportInterval{10};
  // At the end, for the reader of half a line, ours or another's.
  static constexpr std::chrono::milliseconds kLastWait{100};
  static constexpr std::chrono::seconds kLookInterval{1};

  // Opens `path`, making the file if there is none. Fails with kNoMemory, or with kSystem and the
  // errno of open(2): a FIFO that nobody reads is ENXIO. `gate` is null where nobody else writes.
  // It knows the file as `who`: by its address if that is null, which tells files of different
  // processes not apart.
  [[nodiscard]] static Result<std::unique_ptr<LogFile>> append_to(net::Loop& loop, const char* path,
                                                                  LineGate* gate = nullptr,
                                                                  const void* who = nullptr);
  // Writes to what `fd` (1: standard output) is connected to, and leaves `fd` itself alone: it is
  // shared with others, so it must not become non-blocking. Fails as above.
  [[nodiscard]] static Result<std::unique_ptr<LogFile>> share(net::Loop& loop, int fd,
                                                              LineGate* gate = nullptr,
                                                              const void* who = nullptr);

  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  // Writes what can be written without waiting; but for the rest of a line that has begun it waits
  // a little, lest another's line seem to be its end.
  ~LogFile() override;

  [[nodiscard]] std::span<char> room(std::size_t bytes) noexcept override;
  void commit(std::size_t bytes) noexcept override;
  void drop() noexcept override;

  // Writes what can be written without waiting.
  void flush() noexcept override;

  // Opens the path again, at once. Lines that are here go to the new file: who rotates logs may be
  // compressing the old one. When that fails, the old file goes on and base/log.h is told, once
  // until it succeeds. What share() made has no path: nothing happens.
  void reopen() noexcept;
  // Opens it again before the next lines are written. Thread: any.
  void ask_to_reopen() noexcept { reopen_asked_.store(true, std::memory_order_relaxed); }

  // What messages about it call it, a literal.
  void set_name(const char* name) noexcept { name_ = name; }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  [[nodiscard]] std::size_t unwritten() const noexcept { return tail_ - head_; }

 private:
  // How to write to the descriptor without waiting.
  enum class Kind : std::uint8_t {
    kRegular,  // It never makes us wait for a reader.
    kOwn,      // Ours alone, and non-blocking.
    kShared    // Blocking, because others use it: written only when poll() says it has room.
  };
  LogFile(net::Loop& loop, int fd, Kind kind, LineGate* gate, const void* who,
          std::unique_ptr<char[]> buffer) noexcept;
  [[nodiscard]] static Result<std::unique_ptr<LogFile>> make(net::Loop& loop, int fd, Kind kind,
                                                             LineGate* gate, const void* who);
  [[nodiscard]] static int open_path(const char* path) noexcept;
  [[nodiscard]] bool is_ours() const noexcept;
  [[nodiscard]] bool uses_gate() const noexcept;

  void on_ready(std::uint32_t readiness) noexcept override;
  void on_timer() noexcept override;
  void run_deferred() noexcept override;
  void schedule() noexcept;
  void write_out() noexcept;
  void look_at_path() noexcept;
  void remember_file() noexcept;
  void tell_not_reopened(int error) noexcept;
  [[nodiscard]] ssize_t write_some() noexcept;
  [[nodiscard]] ssize_t write_if_room(std::string_view piece) noexcept;
  void pause(std::chrono::nanoseconds time) noexcept;
  [[nodiscard]] std::string_view next_piece() const noexcept;
  void wait_for_reader() noexcept;
  void stop_waiting() noexcept;
  void close_file() noexcept;
  void wait_at_gate() noexcept;
  void leave_gate() noexcept;
  void end_line() noexcept;
  void lose(std::uint64_t lines) noexcept;
  void lose_unwritten() noexcept;
  void give_up_line() noexcept;
  void report() noexcept;

  net::Loop& loop_;
  int fd_;
  Kind kind_;
  LineGate* const gate_;
  const void* const who_;  // At the gate.
  const char* name_ = "access log";
  bool in_line_ = false;   // The last write ended in the middle of one.
  bool kept_out_ = false;  // The gate was taken the last time.
  bool waiting_ = false;   // For the reader or the gate, or for kRetryInterval after an error.
  int error_ = 0;          // Of the last write; 0: the reader is slow, or all is well.
  int loss_error_ = 0;     // It, when lines were lost the last time.
  net::WatchId watch_ = net::WatchId::kNone;
  std::unique_ptr<char[]> buffer_;
  std::size_t head_ = 0;  // Bytes from here...
  std::size_t tail_ = 0;  // ... to here are to be written.
  std::uint64_t dropped_ = 0;
  std::uint64_t reported_ = 0;  // Of the dropped ones.
  std::string path_;            // Of append_to().
  std::atomic<bool> reopen_asked_{false};
  dev_t device_ = 0;  // Which file it is that was opened.
  ino_t inode_ = 0;
  bool missing_ = false;  // There was none at the last look.
  bool told_not_reopened_ = false;
  std::chrono::nanoseconds last_look_;
  std::chrono::nanoseconds last_flush_{0};
  std::chrono::nanoseconds last_report_;
};

}  // namespace tercel::edge
