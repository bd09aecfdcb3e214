#include "tercel/net/pem_file.h"

#include <array>
#include <cerrno>
#include <system_error>

#include "tercel/net/tls_handle.h"

namespace tercel::net {

PemFile::PemFile(const std::string& path) {
  errno = 0;
  file_.reset(openssl().BIO_new_file(path.c_str(), "r"));
  if (file_ == nullptr) note(errno);
}

std::string PemFile::content() {
  const OpenSsl& api = openssl();
  std::string content;
  if (file_ == nullptr) return content;
  std::array<char, 4096> part;
  static_cast<void>(api.BIO_ctrl(file_.get(), BIO_CTRL_RESET, 0, nullptr));
  errno = 0;
  while (content.size() < kContentBytesMax) {
    const int bytes = api.BIO_read(file_.get(), part.data(), static_cast<int>(part.size()));
    if (bytes <= 0) break;
    content.append(part.data(), static_cast<std::size_t>(bytes));
  }
  note(content.empty() ? errno : 0);
  return content;
}

// What OpenSSL has of it would be found by whoever asks next in this thread: Python's ssl, too.
void PemFile::note(int error) {
  error_ = error;
  // std::strerror() is for one thread at a time.
  reason_ = error != 0 ? std::generic_category().message(error) : openssl_reason();
  openssl().ERR_clear_error();
}

}  // namespace tercel::net
