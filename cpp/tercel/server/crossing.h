// One request between two threads: its exchange stays on the I/O thread, the application's thread
// has a stand-in for it.
//
//   I/O thread                                      application's thread
//   H1Exchange --observed by--> Keeper  =letter==>  StandIn --is the exchange of--> Handler
//                                       <==letter=
//                                       <=command=
//                                       <===ask===
//
// A handler cannot tell a stand-in from an exchange. What is illegal fails at once, by the same
// rules (http::ResponseRules); what is legal becomes a command, applied a moment later. The
// response is complete, for the application, when its last part is on its way.
//
// The letter. There is one, and it belongs to one side at a time. The I/O thread keeps it until
// there is something to tell: the request; parts of the body; room for more output; a notice; the
// end. The application's thread takes in what is new, lets the handler act, and sends it back.
// Meanwhile news collects on the I/O thread, so whatever happens there is one message under way
// to an application, however long that takes to read it.
//
// The last word. The application's side says it exactly once: with the command that completes or
// aborts the response, or, when the letter told the end, with one that says just that. After it,
// that side does not touch the crossing, except to send the letter back.
//
// Who frees the memory. The I/O thread, always, when it has both the last word and the letter:
//
//   the last word            | letter    | the I/O thread
//   -------------------------+-----------+---------------------------------------------------------
//   not said                 | here      | tells news at once, an end of the exchange too
//   not said                 | away      | collects news
//   came with the letter     | here      | applies it, and frees the crossing: one message each way
//                            |           | is the whole life of a request answered at once
//   came without the letter  | here      | the same: an answer after the first turn of the handler
//   came without the letter  | away      | applies it, tells nothing any more, and frees the
//                            |           | crossing when the letter is back
//   cannot be said yet:      | here      | an end of the exchange frees the crossing
//   the body is collected    |           |
//
// The last word ends the exchange, if it has not ended. Letters, commands and asks of one crossing
// arrive in the order in which they were sent, so the table has no other rows. There is no lock and
// no count of references: every field has one side that writes it, and is handed over by mail.
//
// Bounds. The body is read ahead by kAheadBytes and one read, in kPartsMax parts, and only where
// that asks nothing of the peer (Exchange::arrived_body()); a peer is asked when the application
// waits. For an application whose thread would wait for a slow peer (RequestQueue), a body of up to
// kCollectBytes is collected before the request is sent to it; then it is whole. What the
// application writes counts against the high-water mark until the exchange reports
// to be writable with it. Payloads are released on the application's thread.
//
// Resource: lives in its IoEnd's pool. Source: docs/decisions/0012-io-threads.md.
// Tested by handoff_test.cc.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "tercel/base/block_pool.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"
#include "tercel/http/response_rules.h"
#include "tercel/server/mail.h"

namespace tercel::server {

class AppEnd;

// Received bytes of a request body, copied.
struct BodyPart {
  Block block;
  std::size_t bytes = 0;
};

// Parts of one body that are under way or not taken yet, at most.
inline constexpr std::size_t kPartsMax = 2;
// Nothing is read ahead of an application that has so much of a body before it.
inline constexpr std::size_t kAheadBytes = std::size_t{32} * 1024;
// A body of this size, or less, is whole before a thread of a pool gets its request, unless the
// client waits to be asked for it.
inline constexpr std::size_t kCollectBytes = std::size_t{64} * 1024;

// The I/O thread's half. Thread: the I/O thread.
class Keeper final : public http::Observer {
 public:
  Keeper(Crossing& crossing, IoEnd& io, http::Exchange& exchange) noexcept
      : crossing_{crossing}, io_{io}, exchange_{&exchange} {}
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper() {
    if (place_ != nullptr) place_->leave();
  }

  // Sends the request to the application, once its body is collected if that `waits_for_peers`.
  void begin(const http::Request& request, bool waits_for_peers) noexcept;
  // What came from the application. on_letter() and apply() may free the crossing.
  void on_letter() noexcept;
  void on_ask(const Appetite& appetite) noexcept;
  void apply(Command& command) noexcept;

  // Whether the exchange has ended, told or not. Thread: any.
  [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_relaxed); }

  // --- http::Observer
  void on_body() noexcept override;
  void on_writable() noexcept override;
  void on_notice(http::Notice notice) noexcept override;
  void on_end(http::Outcome outcome) noexcept override;

 private:
  struct Apply;

  // Tells what is new, if anything is, and the letter is here.
  void tell() noexcept;
  void note_taken() noexcept;
  // Reads of the body what the application may have now.
  void fill() noexcept;
  [[nodiscard]] bool may_fill() const noexcept;
  // How much of the body the first block is made for.
  [[nodiscard]] std::size_t first_block_bytes() const noexcept;
  // Both return false when memory is exhausted.
  // start() made a tunnel of the exchange, whose request had no body.
  void open_tunnel() noexcept;
  [[nodiscard]] bool keep_part(std::string_view bytes, bool more) noexcept;
  [[nodiscard]] bool keep_trailers(std::span<const http::Field> trailers) noexcept;
  void satisfy(const Appetite& appetite) noexcept;
  void drop_untold() noexcept;

  Crossing& crossing_;
  IoEnd& io_;
  http::Exchange* exchange_;  // Null once it ended.
  std::uint64_t applied_bytes_ = 0;
  std::uint64_t taken_bytes_ = 0;
  std::size_t ahead_bytes_ = 0;
  std::uint32_t filled_ = 0;  // Parts of the body, counted from the first: received,
  std::uint32_t told_ = 0;    // told to the application,
  std::uint32_t freed_ = 0;   // and taken by it.
  std::uint32_t asks_seen_ = 0;
  http::BodyState input_ = http::BodyState::kPending;
  std::optional<http::Outcome> end_;
  bool collecting_ = false;       // The request is not told yet: its body is on its way.
  http::Place* place_ = nullptr;  // From the end until the application heard of it.
  bool hungry_ = false;           // The application waits, and nothing is under way to it.
  bool news_ = true;              // The request is.
  bool letter_here_ = true;
  bool last_word_ = false;
  bool input_closed_ = false;
  bool draining_ = false;
  bool tunnel_ = false;  // The exchange is one.
  std::atomic<bool> ended_{false};
};

// The application's half. Thread: the application's.
class StandIn final : public http::Exchange {
 public:
  StandIn(Crossing& crossing, const http::Request& request, std::span<char> room) noexcept
      : crossing_{crossing}, rules_{request}, room_{room} {}

  // The letter is here: tells the handler what is new, and sends it back.
  void on_letter() noexcept;
  // The same for the first one, on a thread that the handler may block: sends it back first, so
  // that news can come meanwhile, and touches nothing after the handler. A request that is over is
  // not handled.
  void begin() noexcept;

  // --- http::Exchange
  void observe(http::Observer* observer) noexcept override { observer_ = observer; }
  [[nodiscard]] const http::Endpoints& endpoints() const noexcept override;
  [[nodiscard]] http::BodyRead read_body() noexcept override;
  [[nodiscard]] http::BodyRead arrived_body() noexcept override;
  [[nodiscard]] std::span<const http::Field> request_trailers() const noexcept override;
  [[nodiscard]] Result<void> interim(const http::Response& response) noexcept override;
  [[nodiscard]] Result<void> start(const http::Response& response) noexcept override;
  [[nodiscard]] Result<void> write(http::Payload payload, http::Final final) noexcept override;
  [[nodiscard]] Result<void> write_file(http::FileRange range, http::Final final) noexcept override;
  [[nodiscard]] Result<void> finish(std::span<const http::Field> trailers) noexcept override;
  using Exchange::abort;
  void abort(Errc error, std::chrono::seconds retry_after) noexcept override;
  [[nodiscard]] bool writable() const noexcept override;

 private:
  // Whether a command has to come back to give up what it owns.
  enum class Owning : bool { kNo, kYes };

  void take_in(const Letter& letter) noexcept;
  void tell_handler(const Letter& letter) noexcept;
  void send_back(Letter& letter) noexcept;
  void ask() noexcept;
  [[nodiscard]] Result<void> legal_to_answer() const noexcept;
  // A command with `bytes` of memory behind it; null when memory is exhausted.
  [[nodiscard]] Command* make_command(std::size_t bytes, Owning owning) noexcept;
  [[nodiscard]] AppEnd& app() const noexcept;
  // The command is a part of the body, or all that was left of it: posts it, and ends the exchange
  // if the plan says so. `command` may be null: then memory is exhausted.
  [[nodiscard]] Result<void> post_part(Command* command, const http::BodyPlan& part) noexcept;
  void say_last_word(Command& command, http::Outcome outcome) noexcept;

  Crossing& crossing_;
  http::Observer* observer_ = nullptr;
  http::ResponseRules rules_;
  std::span<char> room_;  // Memory of the crossing for commands that own nothing.
  std::uint64_t posted_bytes_ = 0;
  std::uint64_t taken_bytes_ = 0;
  std::uint32_t parts_here_ = 0;  // Of the request body, counted from the first,
  std::uint32_t parts_taken_ = 0;
  std::uint32_t asks_sent_ = 0;
  std::uint32_t asks_seen_ = 0;
  http::BodyState input_ = http::BodyState::kPending;
  bool handled_ = false;
  bool has_letter_ = false;
  bool over_ = false;            // The last word is said.
  bool hungry_ = false;          // read_body() said kPending.
  bool body_failed_ = false;     // read_body() said kFailed.
  bool tunnel_here_ = false;     // The keeper knows of the tunnel: what it says is about that.
  bool wants_writable_ = false;  // A write left it not writable.
};

class Crossing {
 public:
  // `block` holds a copy of `request`, which is at its start, and room behind it.
  Crossing(IoEnd& io, AppEnd* app, const http::Request& request, http::Exchange& exchange,
           Block block) noexcept;
  Crossing(const Crossing&) = delete;
  Crossing& operator=(const Crossing&) = delete;

  // Memory for commands that a crossing should have behind its request: a head and a small body.
  static constexpr std::size_t kRoomBytes = 640;

  // --- the same from beginning to end
  IoEnd& io;
  const http::Endpoints ends;
  Block block;
  const http::Request request;

  // --- handed over by mail
  // The application's thread that has it. Null: none yet, of several that may take it.
  AppEnd* app;
  Letter letter{*this};
  Ask ask{*this};
  Command farewell{*this};  // For a last word that has nothing to say but the end.
  std::array<BodyPart, kPartsMax> parts;
  Block trailers_block;
  std::span<const http::Field> trailers;

  Keeper keeper;
  StandIn stand_in;
};

// One exists for each request that the application works on.
static_assert(sizeof(Crossing) <= 784);

}  // namespace tercel::server
