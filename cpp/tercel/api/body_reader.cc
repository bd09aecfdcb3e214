#include "tercel/api/body_reader.h"

#include <utility>

namespace tercel::api {

void BodyReader::start(const http::Request& request, Block head, std::string_view first,
                       http::Exchange& exchange) noexcept {
  exchange_ = &exchange;
  exchange.observe(this);
  head_ = std::move(head);
  request_ = request;
  if (const Appended appended = append(first); appended != Appended::kYes) return refuse(appended);
  pull();
}

void BodyReader::pull() noexcept {
  for (;;) {
    const http::BodyRead read = exchange_->read_body();
    if (read.state == http::BodyState::kPending || read.state == http::BodyState::kFailed) return;
    const Appended appended = append(read.bytes);
    if (appended != Appended::kYes) return refuse(appended);
    if (read.state == http::BodyState::kMore) continue;
    exchange_->observe(nullptr);
    owner_.on_body(route_, request_, {body_.data(), size_}, *exchange_);
    return owner_.destroy(this);
  }
}

BodyReader::Appended BodyReader::append(std::string_view bytes) noexcept {
  if (bytes.size() > bytes_max_ - size_) return Appended::kTooLarge;
  if (!blocks_.append(body_, size_, bytes)) return Appended::kNoMemory;
  size_ += bytes.size();
  return Appended::kYes;
}

void BodyReader::refuse(Appended why) noexcept {
  exchange_->observe(nullptr);
  if (why == Appended::kNoMemory) {
    exchange_->abort(Errc::kNoMemory);
  } else {
    owner_.on_body_too_large(route_, request_, *exchange_);
  }
  owner_.destroy(this);
}

}  // namespace tercel::api
