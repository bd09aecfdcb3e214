// GET after GET on a connection that is kept alive, and every answer judged.
//
// A resource, see link.h. Tested by tests/python/test_load_client.py.
#pragma once

#include <span>
#include <string>

#include "response_reader.h"
#include "session.h"

namespace tercel::load {

class HttpSession final : public Session {
 public:
  // An answer with more than this is wrong.
  static constexpr std::size_t kBodyBytesMax = std::size_t{64} << 20;

  explicit HttpSession(Run& run) noexcept;

 private:
  void send_request(std::uint64_t number) override;
  [[nodiscard]] bool answer_began() const noexcept override { return in_answer_; }
  void reset() noexcept override;

  void on_connected() override { set_ready(); }
  void on_bytes(std::span<char>& bytes) override;
  void on_end(bool orderly, std::span<const char> left) override;

  // False: nothing more can be read on this connection.
  [[nodiscard]] bool on_event(ResponseReader::Event event, bool more);
  [[nodiscard]] bool on_answer(bool more);
  void judge();
  void judge_number();

  ResponseReader reader_;
  std::string body_;
  bool in_answer_ = false;
};

}  // namespace tercel::load
