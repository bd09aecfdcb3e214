// One connection to an origin, on a stream that is connected and done with its handshake.
//
// It carries one request at a time: whoever has it is its User, and is told of its events. Bytes
// are read into the loop's shared buffer; what a step leaves is copied into a pooled block. Without
// a user it is idle, and whatever happens then ends it: its keeper is told when the origin closes
// it, or sends what nobody asked for, which could be taken for the next response.
// Resource: owned by its keeper, a pool. Thread: the loop's. Source: RFC 9112 sections 9.3 and 9.5.
// Tested by upstream_connection_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tercel/base/result.h"
#include "tercel/net/input_buffer.h"
#include "tercel/net/loop.h"
#include "tercel/net/stream.h"
#include "tercel/net/stream_reader.h"

namespace tercel::proxy {

using net::InputEnd;

class UpstreamConnection final : private net::Watcher, private net::Deferred {
 public:
  // Whose request is on the connection. A call may release the connection.
  class User {
   public:
    // Something happened: there may be bytes to read, or room to write.
    virtual void on_event() noexcept = 0;

   protected:
    ~User() = default;
  };
  class Keeper {
   public:
    // An idle connection cannot be used any more. May destroy it.
    virtual void on_unusable(UpstreamConnection& connection) noexcept = 0;

   protected:
    ~Keeper() = default;
  };

  UpstreamConnection(net::Loop& loop, std::unique_ptr<net::Stream> stream, Keeper& keeper) noexcept
      : loop_{loop}, stream_{std::move(stream)}, keeper_{keeper}, input_{loop} {
    reader_.look_again();  // TLS may have read some of it.
  }
  ~UpstreamConnection() override;

  // Watches the stream. Fails as Loop::watch(); destroy the connection then.
  [[nodiscard]] Result<void> watch() noexcept;

  // --- for the keeper
  // Looks whether the origin closed it meanwhile: an event may say so only in the next turn.
  // REQUIRES: idle.
  [[nodiscard]] bool still_usable() noexcept;
  // The same as far as the loop knows: whether it was closed before this turn. REQUIRES: idle.
  [[nodiscard]] bool seems_usable() noexcept;
  // The last request left it as it was before: it may carry another one.
  [[nodiscard]] bool reusable() const noexcept {
    return !spoiled_ && input_end() == InputEnd::kOpen && input_.empty();
  }
  [[nodiscard]] bool spoiled() const noexcept { return spoiled_; }
  [[nodiscard]] bool idle() const noexcept { return user_ == nullptr; }
  // Closes the stream and hears nothing more, for a keeper that is called by the connection that it
  // wants to destroy. REQUIRES: idle.
  void shut() noexcept;
  // Requests that it carried, the present one included.
  [[nodiscard]] std::uint32_t requests() const noexcept { return requests_; }

  // --- for the user
  // Begins and ends a request. REQUIRES: idle; not idle.
  void begin(User& user) noexcept;
  void end() noexcept;
  // The request ends in a way that leaves no place for another one. Who knows says so early: nobody
  // waits for it then.
  void spoil() noexcept { spoiled_ = true; }
  // As spoil(), and the origin sees a reset, so that it takes nothing for complete.
  void reset() noexcept;

  // A step is what happens between two of them: only in a step the loop's buffer is used. Steps
  // nest. The connection must not end in a step of the user's own.
  void begin_step() noexcept { ++steps_; }
  void end_step() noexcept;

  // Received and not consumed. Valid until the next call, or the end of the step.
  [[nodiscard]] std::span<char> unread() const noexcept { return input_.unread(); }
  // Reads more behind it, in one piece, up to `max` bytes at a time. False: there is no more now;
  // look at input_end().
  [[nodiscard]] bool fill(std::size_t max = SIZE_MAX) noexcept;
  void consume(std::size_t bytes) noexcept { input_.consume(bytes); }
  // Moves up to `max` bytes into `pipe`, which becomes one, if nothing is unread and the stream
  // can. False: nothing came, for whatever reason; ask fill().
  [[nodiscard]] bool fill(Pipe& pipe, std::size_t max) noexcept;
  // It did, of this response or of an earlier one.
  [[nodiscard]] bool filled_pipes() const noexcept { return reader_.filled_pipes(); }
  [[nodiscard]] InputEnd input_end() const noexcept { return reader_.end(); }

  [[nodiscard]] net::Stream& stream() noexcept { return *stream_; }

 private:
  void on_ready(std::uint32_t readiness) noexcept override;
  void run_deferred() noexcept override;
  void tell() noexcept;

  net::Loop& loop_;
  std::unique_ptr<net::Stream> stream_;
  Keeper& keeper_;
  User* user_ = nullptr;
  net::InputBuffer input_;
  net::WatchId watch_ = net::WatchId::kNone;
  std::uint32_t requests_ = 0;
  net::StreamReader reader_;
  std::uint8_t steps_ = 0;
  bool spoiled_ = false;
};
static_assert(sizeof(UpstreamConnection) <= 144);

}  // namespace tercel::proxy
