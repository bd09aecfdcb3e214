#include "tercel/net/tls_stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <utility>

#include "tercel/base/assert.h"
#include "tercel/net/openssl.h"
#include "tercel/net/tls_texts.h"

namespace tercel::net {
namespace {

// What one record holds. Pieces are gathered up to it: a record has some thirty bytes of its own,
// and costs a call of the system.
constexpr std::size_t kRecordBytes = 16384;

// The bytes behind the first `skip`, up to a record full: where they are, or copied together.
std::span<const char> next_record(std::span<const iovec> pieces, std::size_t skip,
                                  std::span<char, kRecordBytes> into) noexcept {
  const auto* const first = static_cast<const char*>(pieces.front().iov_base) + skip;
  const std::size_t first_bytes = pieces.front().iov_len - skip;
  if (first_bytes >= kRecordBytes || pieces.size() == 1) {
    return {first, std::min(first_bytes, kRecordBytes)};
  }
  std::size_t filled = 0;
  for (const iovec& piece : pieces) {
    const std::size_t bytes = std::min(piece.iov_len - skip, kRecordBytes - filled);
    std::memcpy(into.data() + filled, static_cast<const char*>(piece.iov_base) + skip, bytes);
    filled += bytes;
    skip = 0;
    if (filled == kRecordBytes) break;
  }
  return into.first(filled);
}

// OpenSSL keeps to itself what it read and then refused; its BIO tells of it here.
long note_read(bio_st* bio, int operation, const char* bytes, std::size_t, int, long, int result,
               std::size_t* read) noexcept {
  if (operation == (BIO_CB_READ | BIO_CB_RETURN) && result > 0 && read != nullptr) {
    auto* stream = reinterpret_cast<TlsStream*>(openssl().BIO_get_callback_arg(bio));
    if (!stream->on_first_bytes({bytes, *read})) {
      openssl().BIO_set_callback_ex(bio, nullptr);
    }
  }
  return result;
}

}  // namespace

TlsStream::TlsStream(ssl_st* ssl, Syscalls& syscalls, int fd, Side side) noexcept
    : ssl_{ssl}, syscalls_{syscalls}, fd_{fd}, mark_{fd}, side_{side} {
  if (side == Side::kClient) return;
  bio_st* const bio = openssl().SSL_get_wbio(ssl);  // Reads, too: it is that of SSL_set_fd().
  openssl().BIO_set_callback_arg(bio, reinterpret_cast<char*>(this));
  openssl().BIO_set_callback_ex(bio, &note_read);
}

TlsStream::~TlsStream() {
  // OpenSSL makes the session of a connection that ends without close_notify useless for others
  // (SSL_set_shutdown(3)). How the transport ended says nothing of the keys.
  if (side_ == Side::kClient && established_ && !failed_) {
    openssl().SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
  openssl().SSL_free(ssl_);
  if (fd_ >= 0 && mark_.holds(fd_)) syscalls_.close(fd_);
}

bool TlsStream::usable() noexcept {
  failed_ |= !mark_.holds(fd_);
  return !failed_;
}

IoState TlsStream::state_of(int result) noexcept {
  const int error = openssl().SSL_get_error(ssl_, result);
  // Whoever uses OpenSSL on this thread next, the interpreter for one, looks at the same queue.
  openssl().ERR_clear_error();
  switch (error) {
    case SSL_ERROR_WANT_READ:
      return IoState::kAgain;
    case SSL_ERROR_WANT_WRITE:
      read_wants_write_ = true;
      return IoState::kAgain;
    case SSL_ERROR_ZERO_RETURN:
      return IoState::kEnd;
    default:
      failed_ = true;
      return IoState::kFailed;
  }
}

bool TlsStream::on_first_bytes(std::span<const char> bytes) noexcept {
  plain_.feed(bytes);
  return plain_.verdict() == PlainRequest::Verdict::kUndecided;
}

IoState TlsStream::handshake() noexcept {
  if (refused_ && mark_.holds(fd_)) return read_plain_request();
  if (!usable()) return IoState::kFailed;
  openssl().ERR_clear_error();
  const int result = openssl().SSL_do_handshake(ssl_);
  if (result != 1) {
    const unsigned long error = openssl().ERR_peek_error();
    const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    // The transport's end, which says nothing of the peer's certificate.
    const bool cut = reason == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
                     openssl().SSL_get_error(ssl_, result) == SSL_ERROR_SYSCALL;
    const IoState state = state_of(result);
    if (state == IoState::kAgain) return state;
    if (side_ == Side::kClient) return cut ? IoState::kEnd : state;
    // It knows GET, HEAD, POST and PUT by four bytes, for the others it has two more reasons.
    plain_http_ = reason == SSL_R_HTTP_REQUEST;
    refused_ = reason == SSL_R_HTTPS_PROXY_REQUEST || reason == SSL_R_WRONG_VERSION_NUMBER;
    return refused_ ? read_plain_request() : IoState::kFailed;
  }
  read_wants_write_ = false;
  established_ = true;
  late_steps_ = 0;
  kernel_sends_ =
      openssl().BIO_ctrl(openssl().SSL_get_wbio(ssl_), BIO_CTRL_GET_KTLS_SEND, 0, nullptr) > 0;
  return side_ == Side::kClient || describe() ? IoState::kDone : IoState::kFailed;
}

IoState TlsStream::read_plain_request() noexcept {
  using Verdict = PlainRequest::Verdict;
  std::array<char, 1024> part;
  while (plain_.verdict() == Verdict::kUndecided) {
    const ssize_t got = syscalls_.recv(fd_, part);
    if (got == -EINTR) continue;
    if (got == -EAGAIN) return IoState::kAgain;
    if (got <= 0) return IoState::kFailed;
    plain_.feed(std::span{part}.first(static_cast<std::size_t>(got)));
  }
  plain_http_ = plain_.verdict() == Verdict::kHttp;
  return IoState::kFailed;
}

// OpenSSL sends no alert to a peer whose first bytes are none of TLS.
int TlsStream::release_plain() noexcept {
  return plain_http_ ? std::exchange(fd_, -1) : -1;
}

bool TlsStream::describe() noexcept {
  try {
    info_ = TlsInfoRef{tls_info_of(*ssl_)};
    return true;
  } catch (const std::bad_alloc&) {
    failed_ = true;
    return false;
  }
}

IoResult TlsStream::read(std::span<char> into) noexcept {
  TERCEL_ASSERT(!into.empty());
  if (!usable()) return {0, IoState::kFailed};
  read_wants_write_ = false;
  std::size_t bytes = 0;
  // Until OpenSSL asks for more: nothing may stay in its buffer for which no event will come.
  while (bytes < into.size()) {
    const auto space = static_cast<int>(std::min<std::size_t>(into.size() - bytes, INT_MAX));
    openssl().ERR_clear_error();
    const int result = openssl().SSL_read(ssl_, into.data() + bytes, space);
    if (late_steps_ > kLateStepsMax) {
      failed_ = true;
      return {0, IoState::kFailed};
    }
    if (result <= 0) {
      const IoState state = state_of(result);
      if (bytes > 0 && state != IoState::kEnd) break;
      return {bytes, state};
    }
    bytes += static_cast<std::size_t>(result);
  }
  bytes_since_steps_ += static_cast<std::uint32_t>(bytes);
  if (bytes_since_steps_ >= kLateStepsBytes) late_steps_ = bytes_since_steps_ = 0;
  return {bytes, IoState::kDone};
}

IoResult TlsStream::encrypt(std::span<const char> bytes) noexcept {
  const bool read_wanted = read_wants_write_;
  openssl().ERR_clear_error();
  const int result = openssl().SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
  if (result > 0) return {static_cast<std::size_t>(result), IoState::kDone};
  const IoState state = state_of(result);
  read_wants_write_ = read_wanted;
  return {0, state == IoState::kAgain ? state : IoState::kFailed};
}

// A record that did not go out whole has to be offered again, with the same bytes in front: they
// are, because whoever calls drops nothing that was not taken, and one record at a time is offered.
IoResult TlsStream::write(std::span<const iovec> pieces) noexcept {
  if (!usable()) return {0, IoState::kFailed};
  std::array<char, kRecordBytes> gathered;
  std::size_t taken = 0;
  std::size_t skip = 0;  // Of the first piece.
  while (!pieces.empty()) {
    const IoResult result = encrypt(next_record(pieces, skip, gathered));
    if (result.state == IoState::kAgain && taken > 0) break;
    if (result.state != IoState::kDone) return result;
    taken += result.bytes;
    skip += result.bytes;
    while (!pieces.empty() && skip >= pieces.front().iov_len) {
      skip -= pieces.front().iov_len;
      pieces = pieces.subspan(1);
    }
  }
  return {taken, IoState::kDone};
}

IoResult TlsStream::write_file(int file, std::uint64_t offset, std::size_t count) noexcept {
  if (!usable()) return {0, IoState::kFailed};
  if (kernel_sends_) {
    openssl().ERR_clear_error();
    const ossl_ssize_t sent =
        openssl().SSL_sendfile(ssl_, file, static_cast<off_t>(offset), count, 0);
    if (sent > 0) return {static_cast<std::size_t>(sent), IoState::kDone};
    if (sent == 0) return {0, IoState::kEnd};
    const IoState state = state_of(static_cast<int>(sent));
    return {0, state == IoState::kEnd ? IoState::kFailed : state};
  }
  std::array<char, kRecordBytes> buffer;
  const auto room = std::span{buffer}.first(std::min(count, buffer.size()));
  ssize_t got = 0;
  do {
    got = syscalls_.pread(file, room, offset);
  } while (got == -EINTR);
  if (got < 0) return {0, IoState::kFailed};
  if (got == 0) return {0, IoState::kEnd};
  return encrypt(room.first(static_cast<std::size_t>(got)));
}

void TlsStream::shutdown_write() noexcept {
  if (!mark_.holds(fd_)) return;
  if (established_ && !failed_) {
    openssl().ERR_clear_error();
    // Says close_notify, and does not wait for the peer's. Fails when the connection is broken, or
    // full: the peer then sees what it is to see of a cut.
    const int result = openssl().SSL_shutdown(ssl_);
    if (result < 0) openssl().ERR_clear_error();
  }
  syscalls_.shutdown(fd_, SHUT_WR);
}

void TlsStream::reset_on_close() noexcept {
  if (!mark_.holds(fd_)) return;
  const linger reset{.l_onoff = 1, .l_linger = 0};
  syscalls_.setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

}  // namespace tercel::net
