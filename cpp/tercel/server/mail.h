// What travels between an I/O thread and the application's thread: see crossing.h.
//
// Values in memory of whoever owns the crossing or the block they lie in. Thread: the one that has
// them; a mailbox hands them over.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "tercel/base/block_pool.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"
#include "tercel/net/mailbox.h"

namespace tercel::server {

class AppEnd;
class Crossing;
class IoEnd;

enum class MailKind : std::uint8_t { kLetter, kAsk, kCommand };

struct Mail : net::MailNode {
  Mail(MailKind which, Crossing& of) noexcept : crossing{&of}, kind{which} {}
  Crossing* crossing;
  MailKind kind;
};

// How much of the request body the application took, and whether it waits for more.
struct Appetite {
  std::uint32_t parts_taken = 0;
  bool hungry = false;
};

// Goes to the application with what is new, and comes back at once.
struct Letter : Mail {
  explicit Letter(Crossing& of) noexcept : Mail{MailKind::kLetter, of} {}

  // --- to the application
  std::uint64_t taken_bytes = 0;  // Of the response body: below the high-water mark by now.
  std::uint32_t parts = 0;        // Of the request body that are here, taken ones included.
  std::uint32_t asks_seen = 0;
  http::BodyState input = http::BodyState::kPending;  // What follows these parts; not kMore.
  bool input_closed = false;
  bool draining = false;
  bool tunnel = false;  // The exchange is one: `parts` and `input` are about it.
  std::optional<http::Outcome> end;

  // --- and back
  Appetite appetite;
};

// The application waits for a part of the body, and has no letter to say so with.
struct Ask : Mail {
  explicit Ask(Crossing& of) noexcept : Mail{MailKind::kAsk, of} {}
  Appetite appetite;
};

// What the application wants of its exchange. Its views are into the memory behind it. Comes back
// to give up what it owns, if it has a block of its own.
struct Command : Mail {
  struct Nothing {};
  struct Interim {
    http::Response response;
  };
  struct Start {
    http::Response response;
  };
  struct Write {
    http::Payload payload;
    http::Final final;
  };
  struct WriteFile {
    http::FileRange range;
    http::Final final;
  };
  struct Finish {
    std::span<const http::Field> trailers;
  };
  struct Abort {
    Errc error;
    std::chrono::seconds retry_after;
  };
  using Step = std::variant<Nothing, Interim, Start, Write, WriteFile, Finish, Abort>;

  explicit Command(Crossing& of) noexcept : Mail{MailKind::kCommand, of} {}

  bool last_word = false;    // The application's side never touches the crossing again.
  bool with_letter = false;  // And has no letter any more: it came back with this.
  Step step;
  // While an exchange has what the step owns: who sends the command back, and to whom.
  IoEnd* io = nullptr;
  AppEnd* app = nullptr;
  Block block;  // That it lies in; empty: in memory of the crossing.
};

}  // namespace tercel::server
