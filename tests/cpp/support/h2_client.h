// The other side of an HTTP/2 connection, for tests: frames as bytes, and what the server sent as
// lines that can be read.
//
//   H2Client client;
//   wire.receive(client.hello() + client.get(1));
//   EXPECT_EQ(client.read(wire.take_sent()), "SETTINGS ...");
//
// It checks nothing: a test sends what it likes. Heads are literal fields, without compression.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct nghttp2_hd_inflater;

namespace tercel::test {

using FieldList = std::vector<std::pair<std::string, std::string>>;

// Flags, by their use.
inline constexpr int kEndStream = 1;
inline constexpr int kAck = 1;
inline constexpr int kEndHeaders = 4;
inline constexpr int kPadded = 8;
inline constexpr int kPriorityFlag = 0x20;

[[nodiscard]] std::string h2_number(std::uint32_t number, int bytes);
[[nodiscard]] std::string h2_frame(int type, int flags, std::uint32_t stream,
                                   std::string_view payload);
// A header block of literals that no table keeps.
[[nodiscard]] std::string h2_block(const FieldList& fields);

[[nodiscard]] std::string h2_settings(
    std::initializer_list<std::pair<int, std::uint32_t>> settings = {});
[[nodiscard]] std::string h2_hello(
    std::initializer_list<std::pair<int, std::uint32_t>> settings = {});
[[nodiscard]] std::string h2_headers(std::uint32_t stream, const FieldList& fields,
                                     int flags = kEndHeaders | kEndStream);
[[nodiscard]] std::string h2_get(std::uint32_t stream, const std::string& path = "/");
// A POST whose body follows.
[[nodiscard]] std::string h2_post(std::uint32_t stream, const FieldList& more = {});
[[nodiscard]] std::string h2_data(std::uint32_t stream, std::string_view bytes, int flags = 0);
[[nodiscard]] std::string h2_reset(std::uint32_t stream, std::uint32_t code = 8);
[[nodiscard]] std::string h2_window_update(std::uint32_t stream, std::uint32_t bytes);
[[nodiscard]] std::string h2_ping(bool ack = false);

// Reads what a server sends, over the whole connection.
class H2Reader {
 public:
  H2Reader();
  ~H2Reader();
  H2Reader(const H2Reader&) = delete;
  H2Reader& operator=(const H2Reader&) = delete;

  // A line for each whole frame: "1 HEADERS :status=200 server=t", "1 DATA 5 END hello",
  // "1 RST_STREAM 0", "GOAWAY 2147483647 0", "PING", "0 WINDOW_UPDATE 983041". SETTINGS, their
  // answers and empty lines are left out; bodies above 32 bytes are given by their size.
  [[nodiscard]] std::string read(std::string_view bytes);
  // What was sent of the bodies, by stream.
  [[nodiscard]] const std::string& body(std::uint32_t stream) { return bodies_[stream]; }

 private:
  [[nodiscard]] std::string read_fields(std::string_view block);

  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string unread_;
  std::map<std::uint32_t, std::string> bodies_;
};

}  // namespace tercel::test
