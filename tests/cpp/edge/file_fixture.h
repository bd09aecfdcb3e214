// An HTTP/1 session over memory that sends the bytes of files, for tests of what is answered with
// them.
#pragma once

#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/memory_wire.h"
#include "support/temporary_directory.h"
#include "tercel/http/h1_session.h"

namespace tercel::test {

class FileWire final : public MemoryWire {
 public:
  void send_file(const http::FileRange& range) noexcept override {
    std::string bytes(range.count, '\0');
    EXPECT_EQ(::pread(range.file, bytes.data(), bytes.size(), static_cast<off_t>(range.offset)),
              static_cast<ssize_t>(bytes.size()));
    sent += bytes;
    range.release(range.owner);
  }
};

class FileServer {
 public:
  explicit FileServer(http::Handler& handler)
      : context_{std::make_unique<http::H1Context>(handler, http::Limits{})} {
    context_->set_default_fields("", "", /*with_date=*/false);
    session_ = std::make_unique<http::H1Session>(wire_, *context_);
    wire_.session = session_.get();
  }
  // `fields`: lines, each with its end.
  [[nodiscard]] std::string ask(std::string_view method, std::string_view path,
                                std::string_view fields = {}) {
    wire_.receive(std::string{method} + ' ' + std::string{path} + " HTTP/1.1\r\nHost: a\r\n" +
                  std::string{fields} + "\r\n");
    EXPECT_FALSE(wire_.closed);
    EXPECT_FALSE(wire_.was_reset);
    return wire_.take_sent();
  }
  [[nodiscard]] std::string get(std::string_view path, std::string_view fields = {}) {
    return ask("GET", path, fields);
  }

 private:
  FileWire wire_;
  std::unique_ptr<http::H1Context> context_;
  std::unique_ptr<http::H1Session> session_;
};

inline std::string status_of(std::string_view response) {
  return std::string{response.substr(9, 3)};
}
// The value of a header field; "-": there is none.
inline std::string field_of(std::string_view response, std::string_view name) {
  const std::string_view head = response.substr(0, response.find("\r\n\r\n") + 2);
  const std::string start = "\r\n" + std::string{name} + ": ";
  const std::size_t at = head.find(start);
  if (at == std::string_view::npos) return "-";
  const std::size_t value = at + start.size();
  return std::string{head.substr(value, head.find("\r\n", value) - value)};
}
inline std::string body_of(std::string_view response) {
  return std::string{response.substr(response.find("\r\n\r\n") + 4)};
}

}  // namespace tercel::test
