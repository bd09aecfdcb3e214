#include "tercel/http/h2_engine.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <utility>

#include "tercel/base/pages.h"
#include "tercel/http/nghttp2.h"

namespace tercel::http {
namespace {

// A response head that is larger does not leave.
constexpr std::size_t kHeadBytesMax = std::size_t{256} * 1024;
// Answers to SETTINGS and PING that wait for a peer that does not read, at most.
constexpr std::size_t kAnswersMax = 1000;
constexpr std::int32_t kStreamIdMax = 0x7fffffff;
constexpr std::size_t kSettingsMax = 32;  // In one SETTINGS frame.
// What all streams of a connection may have under way. It is credited as it arrives: see
// docs/decisions/0004-http2.md.
constexpr std::int32_t kConnectionWindowBytes = 1 << 20;
// Fields of a head that are converted without an allocation.
constexpr std::size_t kFieldsInPlace = 64;

std::string_view to_text(const std::uint8_t* bytes, std::size_t count) noexcept {
  return {reinterpret_cast<const char*>(bytes), count};
}

// nghttp2 does not write to names and values.
std::uint8_t* to_bytes(std::string_view text) noexcept {
  return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
}

// The fields as nghttp2 wants them, for one call.
class Names {
 public:
  explicit Names(std::span<const Field> fields) noexcept : count_{fields.size()} {
    if (count_ > in_place_.size()) {
      many_.reset(new (std::nothrow) nghttp2_nv[count_]);
      first_ = many_.get();
      if (first_ == nullptr) return;
    }
    std::transform(fields.begin(), fields.end(), first_, [](const Field& field) {
      return nghttp2_nv{.name = to_bytes(field.name),
                        .value = to_bytes(field.value),
                        .namelen = field.name.size(),
                        .valuelen = field.value.size(),
                        .flags = NGHTTP2_NV_FLAG_NONE};
    });
  }
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  [[nodiscard]] bool ok() const noexcept { return first_ != nullptr; }
  [[nodiscard]] const nghttp2_nv* data() const noexcept { return first_; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

 private:
  std::array<nghttp2_nv, kFieldsInPlace>
      in_place_;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  std::unique_ptr<nghttp2_nv[]> many_;
  nghttp2_nv* first_ = in_place_.data();
  std::size_t count_;
};

// --- what nghttp2 calls

H2Events& events_of(void* user) noexcept {
  return *static_cast<H2Events*>(user);
}

H2Exchange* stream_of(nghttp2_session* session, std::int32_t id) noexcept {
  return static_cast<H2Exchange*>(nghttp2().session_get_stream_user_data(session, id));
}

int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) noexcept {
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;
  const H2HeadKind kind =
      frame->headers.cat == NGHTTP2_HCAT_REQUEST ? H2HeadKind::kRequest : H2HeadKind::kTrailers;
  if (events_of(user).on_head(frame->hd.stream_id, kind)) return 0;
  const int code = nghttp2().submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                               NGHTTP2_REFUSED_STREAM);
  return code == 0 ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : NGHTTP2_ERR_CALLBACK_FAILURE;
}

int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
              std::size_t name_bytes, const std::uint8_t* value, std::size_t value_bytes,
              std::uint8_t, void* user) noexcept {
  if (frame->hd.type == NGHTTP2_HEADERS) {
    events_of(user).on_field(to_text(name, name_bytes), to_text(value, value_bytes));
  }
  return 0;
}

int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) noexcept {
  H2Events& events = events_of(user);
  const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
      events.on_head_end(frame->hd.stream_id, ends);
      break;
    case NGHTTP2_DATA:
      if (!ends) break;
      if (auto* stream = stream_of(session, frame->hd.stream_id)) events.on_data_end(stream);
      break;
    case NGHTTP2_PING:
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) events.on_ping_answered();
      break;
    default:
      break;
  }
  return 0;
}

int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int, void* user) noexcept {
  events_of(user).on_invalid_frame(frame->hd.stream_id);
  return 0;
}

int on_data_chunk(nghttp2_session* session, std::uint8_t, std::int32_t id,
                  const std::uint8_t* bytes, std::size_t count, void* user) noexcept {
  events_of(user).on_data(stream_of(session, id), to_text(bytes, count));
  return 0;
}

int on_stream_close(nghttp2_session* session, std::int32_t id, std::uint32_t code,
                    void* user) noexcept {
  events_of(user).on_stream_closed(stream_of(session, id), static_cast<H2Code>(code));
  return 0;
}

int on_frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) noexcept {
  if (frame->hd.type == NGHTTP2_RST_STREAM) {
    events_of(user).on_reset_sent(frame->hd.stream_id);
    return 0;
  }
  // The PING behind a notice, which would overtake it if it were submitted with it.
  if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.last_stream_id == kStreamIdMax) {
    return nghttp2().submit_ping(session, NGHTTP2_FLAG_NONE, nullptr) == 0
               ? 0
               : NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  if (auto* stream = stream_of(session, frame->hd.stream_id)) {
    events_of(user).on_response_sent(*stream, frame->hd.stream_id);
  }
  return 0;
}

int on_frame_not_sent(nghttp2_session* session, const nghttp2_frame* frame, int,
                      void* user) noexcept {
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;
  if (auto* stream = stream_of(session, frame->hd.stream_id)) {
    events_of(user).on_response_failed(*stream);
  }
  return 0;
}

ssize_t on_read(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t bytes_max,
                std::uint32_t* flags, nghttp2_data_source* source, void* user) noexcept {
  const H2Supply supply =
      events_of(user).on_supply(*static_cast<H2Exchange*>(source->ptr), bytes_max);
  if (supply.kind == H2Supply::Kind::kWait) return NGHTTP2_ERR_DEFERRED;
  if (supply.kind == H2Supply::Kind::kPause) return NGHTTP2_ERR_PAUSE;
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (supply.last) *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (supply.trailers) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
  return static_cast<ssize_t>(supply.bytes);
}

int on_send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head, std::size_t bytes,
                 nghttp2_data_source* source, void* user) noexcept {
  constexpr std::size_t kHeadBytes = 9;
  events_of(user).on_data_frame(*static_cast<H2Exchange*>(source->ptr), to_text(head, kHeadBytes),
                                bytes);
  return 0;
}

// What nghttp2 allocates, by session: a session that ran out of memory is not asked to tidy up,
// which nghttp2 1.52 does not survive (it frees an item twice whose place in a queue could not be
// made).
struct alignas(std::max_align_t) Chunk {
  Chunk* prev;
  Chunk* next;
  std::size_t bytes;  // With this head.
};

// What nghttp2 makes of a session before its first frame: 25 KiB in six pieces, the last of which
// is a buffer for frames of 16 KiB that is seldom full. From the allocator all of it would count
// once it was used, and stay with the process when ten thousand idle connections are gone.
constexpr std::size_t kFoundationBytes = std::size_t{28} * 1024;

struct Chain : Chunk {
  explicit Chain(H2Memory& shared) noexcept
      : Chunk{this, this, 0}, memory{shared}, foundation{Pages::map(kFoundationBytes)} {
    room = foundation.span();
  }
  [[nodiscard]] bool founded(const Chunk* chunk) const noexcept {
    const auto* const at = reinterpret_cast<const char*>(chunk);
    const std::span<char> all = foundation.span();
    return std::less_equal<>{}(all.data(), at) && std::less<>{}(at, all.data() + all.size());
  }
  // As H2Memory::take(), from the foundation while there is room.
  [[nodiscard]] Chunk* take(std::size_t wanted) noexcept {
    const std::size_t place = (wanted + alignof(Chunk) - 1) / alignof(Chunk) * alignof(Chunk);
    if (place > room.size()) return static_cast<Chunk*>(memory.take(wanted));
    auto* const chunk = reinterpret_cast<Chunk*>(room.data());
    room = room.subspan(place);
    return chunk;
  }

  H2Memory& memory;
  Pages foundation;
  std::span<char> room;  // Empty when the session is made: nothing of it is used twice.
};

// `chunk` is part of no chain, or null.
void* link(Chunk* chunk, std::size_t bytes, Chain& chain) noexcept {
  if (chunk == nullptr) return nullptr;
  *chunk = {.prev = &chain, .next = chain.next, .bytes = bytes};
  chain.next->prev = chunk;
  chain.next = chunk;
  return chunk + 1;
}

Chunk* unlink(void* memory) noexcept {
  Chunk* const chunk = static_cast<Chunk*>(memory) - 1;
  // The analyzer does not see that what was freed is in no chain any more.
  chunk->prev->next = chunk->next;  // NOLINT(clang-analyzer-unix.Malloc)
  chunk->next->prev = chunk->prev;
  return chunk;
}

void* allocate(std::size_t bytes, void* user) noexcept {
  Chain& chain = *static_cast<Chain*>(user);
  const std::size_t all = sizeof(Chunk) + bytes;
  return link(chain.take(all), all, chain);
}

void release(void* memory, void* user) noexcept {
  if (memory == nullptr) return;
  Chain& chain = *static_cast<Chain*>(user);
  Chunk* const chunk = unlink(memory);
  if (!chain.founded(chunk)) chain.memory.give_back(chunk, chunk->bytes);
}

// nghttp2 asks for no product that overflows.
void* allocate_zeroed(std::size_t count, std::size_t bytes, void* user) noexcept {
  void* const memory = allocate(count * bytes, user);
  if (memory != nullptr) std::memset(memory, 0, count * bytes);
  return memory;
}

void* reallocate(void* memory, std::size_t bytes, void* user) noexcept {
  if (memory == nullptr) return allocate(bytes, user);
  Chain& chain = *static_cast<Chain*>(user);
  const std::size_t all = sizeof(Chunk) + bytes;
  Chunk* const chunk = unlink(memory);
  const std::size_t had = chunk->bytes;
  if (chain.founded(chunk)) {
    void* const fresh = allocate(bytes, user);
    if (fresh != nullptr) std::memcpy(fresh, memory, std::min(had - sizeof(Chunk), bytes));
    if (fresh == nullptr) link(chunk, had, chain);
    return fresh;
  }
  auto* const moved = static_cast<Chunk*>(chain.memory.resize(chunk, had, all));
  if (moved != nullptr) return link(moved, all, chain);
  link(chunk, had, chain);  // What cannot be moved stays where it is.
  return nullptr;
}

// What a session is made from. Null members: memory was exhausted.
struct Shared {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;

  Shared() noexcept {
    if (nghttp2().session_callbacks_new(&callbacks) != 0) return;
    nghttp2().session_callbacks_set_on_begin_headers_callback(callbacks, &on_begin_headers);
    nghttp2().session_callbacks_set_on_header_callback(callbacks, &on_header);
    nghttp2().session_callbacks_set_on_frame_recv_callback(callbacks, &on_frame);
    nghttp2().session_callbacks_set_on_invalid_frame_recv_callback(callbacks, &on_invalid_frame);
    nghttp2().session_callbacks_set_on_data_chunk_recv_callback(callbacks, &on_data_chunk);
    nghttp2().session_callbacks_set_on_stream_close_callback(callbacks, &on_stream_close);
    nghttp2().session_callbacks_set_on_frame_send_callback(callbacks, &on_frame_sent);
    nghttp2().session_callbacks_set_on_frame_not_send_callback(callbacks, &on_frame_not_sent);
    nghttp2().session_callbacks_set_send_data_callback(callbacks, &on_send_data);
    if (nghttp2().option_new(&option) != 0) return;
    nghttp2().option_set_no_auto_window_update(option, 1);
    nghttp2().option_set_no_http_messaging(option, 1);
    nghttp2().option_set_no_closed_streams(option, 1);
    nghttp2().option_set_max_send_header_block_length(option, kHeadBytesMax);
    nghttp2().option_set_max_outbound_ack(option, kAnswersMax);
    nghttp2().option_set_max_settings(option, kSettingsMax);
    nghttp2().option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
    if (nghttp2().option_set_stream_reset_rate_limit != nullptr) {
      // Our own budget for resets has a clock that tests move.
      nghttp2().option_set_stream_reset_rate_limit(option, UINT64_MAX, UINT64_MAX);
    }
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() {
    nghttp2().option_del(option);
    nghttp2().session_callbacks_del(callbacks);
  }
};

}  // namespace

bool h2_available() noexcept {
  return load_nghttp2();
}

struct H2Engine::Chunks : Chain {
  using Chain::Chain;
};

H2Engine::H2Engine(H2Memory& memory) noexcept : chunks_{new (std::nothrow) Chunks{memory}} {}

std::unique_ptr<H2Engine> H2Engine::create(H2Events& events, const H2Options& options,
                                           H2Memory& kept) noexcept {
  if (!load_nghttp2()) return nullptr;
  // A new one each time: a copy of it is in every session, and nothing is shared between threads.
  const Shared shared;
  if (shared.option == nullptr) return nullptr;
  std::unique_ptr<H2Engine> engine{new (std::nothrow) H2Engine{kept}};
  if (engine == nullptr || engine->chunks_ == nullptr) return nullptr;
  nghttp2_mem memory{.mem_user_data = static_cast<Chain*>(engine->chunks_.get()),
                     .malloc = &allocate,
                     .free = &release,
                     .calloc = &allocate_zeroed,
                     .realloc = &reallocate};
  if (nghttp2().session_server_new3(&engine->session_, shared.callbacks, &events, shared.option,
                                    &memory) != 0) {
    return nullptr;
  }
  engine->chunks_->room = {};
  const std::array settings{
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.streams_max},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.window_bytes},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  if (nghttp2().submit_settings(engine->session_, NGHTTP2_FLAG_NONE, settings.data(),
                                settings.size()) != 0 ||
      nghttp2().session_set_local_window_size(engine->session_, NGHTTP2_FLAG_NONE, 0,
                                              kConnectionWindowBytes) != 0) {
    return nullptr;
  }
  return engine;
}

H2Engine::~H2Engine() {
  if (!broken_) nghttp2().session_del(session_);
  while (chunks_ != nullptr && chunks_->next != chunks_.get()) {
    release(chunks_->next + 1, static_cast<Chain*>(chunks_.get()));
  }
}

bool H2Engine::check(int code) noexcept {
  if (code == NGHTTP2_ERR_NOMEM) broken_ = true;
  return code != NGHTTP2_ERR_NOMEM;
}

bool H2Engine::feed(std::span<const char> bytes) noexcept {
  const ssize_t fed = nghttp2().session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (fed == NGHTTP2_ERR_NOMEM) broken_ = true;
  return fed >= 0;
}

std::string_view H2Engine::next_output() noexcept {
  const std::uint8_t* bytes = nullptr;
  const ssize_t count = nghttp2().session_mem_send(session_, &bytes);
  if (count < 0) broken_ = true;
  return count > 0 ? to_text(bytes, static_cast<std::size_t>(count)) : std::string_view{};
}

bool H2Engine::finished() const noexcept {
  return nghttp2().session_want_read(session_) == 0 && nghttp2().session_want_write(session_) == 0;
}

bool H2Engine::knows(H2StreamId id) const noexcept {
  return nghttp2().session_find_stream(session_, id) != nullptr;
}

// --- streams

H2Exchange* H2Engine::find(H2StreamId id) const noexcept {
  return stream_of(session_, id);
}

bool H2Engine::attach(H2StreamId id, H2Exchange* stream) noexcept {
  return check(nghttp2().session_set_stream_user_data(session_, id, stream));
}

void H2Engine::prioritize(H2StreamId id, unsigned urgency, bool incremental) noexcept {
  nghttp2_extpri priority{.urgency = urgency, .inc = incremental ? 1 : 0};
  (void)check(nghttp2().session_change_extpri_stream_priority(session_, id, &priority, 0));
}

bool H2Engine::respond(H2StreamId id, std::span<const Field> fields, H2Exchange* body) noexcept {
  const Names names{fields};
  if (!names.ok()) return check(NGHTTP2_ERR_NOMEM);
  const nghttp2_data_provider provider{.source = {.ptr = body}, .read_callback = &on_read};
  return check(nghttp2().submit_response(session_, id, names.data(), names.size(),
                                         body != nullptr ? &provider : nullptr));
}

bool H2Engine::interim(H2StreamId id, std::span<const Field> fields) noexcept {
  const Names names{fields};
  if (!names.ok()) return check(NGHTTP2_ERR_NOMEM);
  return check(nghttp2().submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, names.data(),
                                        names.size(), nullptr));
}

bool H2Engine::trailers(H2StreamId id, std::span<const Field> fields) noexcept {
  const Names names{fields};
  if (!names.ok()) return check(NGHTTP2_ERR_NOMEM);
  return check(nghttp2().submit_trailer(session_, id, names.data(), names.size()));
}

bool H2Engine::resume(H2StreamId id) noexcept {
  return check(nghttp2().session_resume_data(session_, id));
}

void H2Engine::reset(H2StreamId id, H2Code code) noexcept {
  (void)check(nghttp2().submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id,
                                          static_cast<std::uint32_t>(code)));
}

// --- windows

void H2Engine::credit_connection(std::size_t bytes) noexcept {
  (void)check(nghttp2().session_consume_connection(session_, bytes));
}

void H2Engine::credit_stream(H2StreamId id, std::size_t bytes) noexcept {
  (void)check(nghttp2().session_consume_stream(session_, id, bytes));
}

void H2Engine::widen_window(H2StreamId id, std::uint32_t bytes) noexcept {
  (void)check(nghttp2().session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, id,
                                                      static_cast<std::int32_t>(bytes)));
}

// --- the end

void H2Engine::announce_goaway() noexcept {
  (void)check(nghttp2().submit_shutdown_notice(session_));
}

void H2Engine::goaway() noexcept {
  (void)check(nghttp2().submit_goaway(session_, NGHTTP2_FLAG_NONE,
                                      nghttp2().session_get_last_proc_stream_id(session_),
                                      NGHTTP2_NO_ERROR, nullptr, 0));
}

void H2Engine::terminate(H2Code code) noexcept {
  (void)check(nghttp2().session_terminate_session2(
      session_, nghttp2().session_get_last_proc_stream_id(session_),
      static_cast<std::uint32_t>(code)));
}

}  // namespace tercel::http
