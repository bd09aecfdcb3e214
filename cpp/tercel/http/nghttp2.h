// The functions of nghttp2 that tercel calls, found in the library when HTTP/2 is first spoken.
//
// Internal to h2_engine.cc, and the one file that includes nghttp2's header. A server whose clients
// speak HTTP/1 maps nothing of it. Names are nghttp2's own without their prefix, so that its manual
// is this file's.
#pragma once

#include <cstdint>

#include <nghttp2/nghttp2.h>

namespace tercel::http {

// clang-format off
#define TERCEL_NGHTTP2(X)                                                                         \
  X(option_new) X(option_del) X(option_set_no_auto_window_update)                                 \
  X(option_set_no_http_messaging) X(option_set_no_closed_streams)                                 \
  X(option_set_max_send_header_block_length) X(option_set_max_outbound_ack)                       \
  X(option_set_max_settings) X(option_set_builtin_recv_extension_type)                            \
  X(session_callbacks_new) X(session_callbacks_del)                                               \
  X(session_callbacks_set_on_begin_headers_callback) X(session_callbacks_set_on_header_callback)  \
  X(session_callbacks_set_on_frame_recv_callback)                                                 \
  X(session_callbacks_set_on_invalid_frame_recv_callback)                                         \
  X(session_callbacks_set_on_data_chunk_recv_callback)                                            \
  X(session_callbacks_set_on_stream_close_callback)                                               \
  X(session_callbacks_set_on_frame_send_callback)                                                 \
  X(session_callbacks_set_on_frame_not_send_callback)                                             \
  X(session_callbacks_set_send_data_callback)                                                     \
  X(session_server_new3) X(session_del) X(session_mem_recv) X(session_mem_send)                   \
  X(session_want_read) X(session_want_write) X(session_find_stream)                               \
  X(session_get_stream_user_data) X(session_set_stream_user_data)                                 \
  X(session_change_extpri_stream_priority) X(session_resume_data)                                 \
  X(session_consume_connection) X(session_consume_stream) X(session_set_local_window_size)        \
  X(session_get_last_proc_stream_id) X(session_terminate_session2)                                \
  X(submit_settings) X(submit_ping) X(submit_headers) X(submit_response) X(submit_trailer)        \
  X(submit_rst_stream) X(submit_shutdown_notice) X(submit_goaway)
// clang-format on

struct Nghttp2 {
// NOLINTNEXTLINE(bugprone-macro-parentheses): the name of a member.
#define TERCEL_MEMBER(name) decltype(&::nghttp2_##name) name;
  TERCEL_NGHTTP2(TERCEL_MEMBER)
#undef TERCEL_MEMBER

  // Null where the library does not limit resets: before 1.57, unless a distribution patched it.
  void (*option_set_stream_reset_rate_limit)(nghttp2_option*, std::uint64_t burst,
                                             std::uint64_t rate);
};

// Loads the library on the first call. False: it is not there, or too old. Thread: any.
[[nodiscard]] bool load_nghttp2() noexcept;

namespace detail {
extern Nghttp2 nghttp2_functions;  // Written once, by load_nghttp2().
}

// REQUIRES: load_nghttp2() returned true in this thread, or before it began.
[[nodiscard]] inline const Nghttp2& nghttp2() noexcept {
  return detail::nghttp2_functions;
}

}  // namespace tercel::http
