// The answer to a request with a file that is open: whole, in parts, or not at all because the
// client has it already.
//
//   Result<OpenFile> file = OpenFile::open(syscalls, "/srv/report.pdf");
//   if (!file) return refuse(exchange, asked, file.error(), {});
//   (void)answer_file(exchange, asked_by(request), *std::move(file),
//                     {.content_type = "application/pdf"}, now);
//
// | the request                                     | the answer                               |
// |-------------------------------------------------|------------------------------------------|
// | If-Match or If-Unmodified-Since that fails      | 412                                      |
// | If-None-Match or If-Modified-Since that matches | 304                                      |
// | GET with one range                              | 206 with Content-Range                   |
// | GET with several, up to kRangesMax              | 206, multipart/byteranges                |
// | GET with ranges, none of which has a byte       | 416                                      |
// | If-Range that says that the client has another  | 200, as if there were no Range           |
// | HEAD                                            | as GET without Range, without the bytes  |
// | anything else                                   | the status of the head, whole            |
//
// Conditions and ranges are for GET and HEAD that are answered with 200, as RFC 9110 has it. The
// bytes are sent by Exchange::write_file(), which is sendfile(2) where the connection allows it.
//
// The entity tag is made of the modification time in nanoseconds and the size: the same on every
// machine that has the same file, so what one sent, another can confirm or continue; the inode
// would tell them apart. It is strong, so ranges can be put together with it, but weak within
// kSettlingTime of a change: file systems count time in steps, and in the same step the bytes may
// change again. Some builds give all files one date in the far past; before kDatesBegin a date says
// nothing, so the time of the last change that the system saw takes its place in the tag, and
// Last-Modified is left out.
//
// Source: RFC 9110 sections 8.8, 13, 14 and 15. Thread: the exchange's. Tested by
// file_answer_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/edge/conditional_answer.h"
#include "tercel/edge/open_file.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::edge {

inline constexpr std::chrono::seconds kSettlingTime{2};
// 1981: SOURCE_DATE_EPOCH is often 0 or 1, the first date of a zip archive is that of 1980.
inline constexpr std::chrono::hours kDatesBegin{24 * 365 * 11};

struct FileHead {
  std::uint16_t status = 200;
  std::string_view content_type = {};      // Empty: it is among the fields, or nobody knows.
  std::string_view content_encoding = {};  // How the bytes are compressed; "" if they are not.
  // Others, at most kFileFieldsMax. An ETag, a Last-Modified or a Content-Type among them stands
  // in place of ours. None of them is about length or ranges.
  std::span<const http::Field> fields = {};
  Refuse refuse = &refuse_in_text;
};

inline constexpr std::size_t kFileFieldsMax = 64;

// Answers. `now`: since 1970. Fails as Exchange::start(), and then nothing was sent; what fails
// later has ended the exchange. REQUIRES: `file` is no folder.
[[nodiscard]] Result<void> answer_file(http::Exchange& exchange, const Asked& request,
                                       OpenFile file, const FileHead& head,
                                       std::chrono::nanoseconds now) noexcept;

}  // namespace tercel::edge
