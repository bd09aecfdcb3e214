#include "http_session.h"

#include "run.h"

namespace tercel::load {
namespace {

// RFC 9110 section 15.5.9: a server may send it on a connection that it closes for being idle.
constexpr std::uint16_t kRequestTimeout = 408;

}  // namespace

HttpSession::HttpSession(Run& run) noexcept : Session{run}, reader_{run.head_buffer()} {}

void HttpSession::reset() noexcept {
  reader_.reset();
  body_.clear();
  in_answer_ = false;
}

void HttpSession::send_request(std::uint64_t number) {
  send(run_.request_text(number));
}

void HttpSession::on_bytes(std::span<char>& bytes) {
  for (;;) {
    const ResponseReader::Event event = reader_.next(bytes);
    if (event == ResponseReader::Event::kNeedMore) {
      in_answer_ = in_answer_ || !bytes.empty();
      return;
    }
    if (!on_event(event, !bytes.empty())) {
      close();
      return;
    }
  }
}

bool HttpSession::on_event(ResponseReader::Event event, bool more) {
  switch (event) {
    case ResponseReader::Event::kHead:
      in_answer_ = true;
      return reader_.status() != 101;
    case ResponseReader::Event::kBody:
      if (body_.size() + reader_.body().size() <= kBodyBytesMax) {
        body_.append(reader_.body());
        return true;
      }
      if (asking()) settle_wrong("the body is too long");
      return false;
    case ResponseReader::Event::kEnd:
      return on_answer(more);
    case ResponseReader::Event::kBad:
      if (asking()) settle_wrong("not a response of HTTP/1.1");
      return false;
    case ResponseReader::Event::kNeedMore:
      break;
  }
  return true;
}

bool HttpSession::on_answer(bool more) {
  const bool asked = asking();
  in_answer_ = false;
  if (asked) {
    judge();
  } else if (reader_.status() != kRequestTimeout) {
    run_.tally().doubled(number());
  }
  body_.clear();
  // Bytes behind the answer answer nothing: one request is under way at a time.
  if (asked && more) run_.tally().doubled(number());
  if (!asked || more || !reader_.keep_alive()) return false;
  run_.on_settled(*this);
  return true;
}

void HttpSession::judge() {
  const Options& options = run_.options();
  if (reader_.status() != options.status) return settle_wrong("another status");
  if (options.numbered) return judge_number();
  if (options.body && body_ != *options.body) return settle_wrong("another body");
  settle_right();
}

void HttpSession::judge_number() {
  switch (run_.numbers().judge(body_, number())) {
    case Verdict::kRight:
      return settle_right();
    case Verdict::kDoubled:
      run_.tally().doubled(number());
      return settle_wrong("the answer to an earlier request");
    case Verdict::kWrong:
      return settle_wrong("the number is not in the body");
  }
}

void HttpSession::on_end(bool orderly, std::span<const char> left) {
  if (orderly && reader_.end_of_input(left) == ResponseReader::Event::kEnd && asking()) judge();
  Session::on_end(orderly, left);
}

}  // namespace tercel::load
