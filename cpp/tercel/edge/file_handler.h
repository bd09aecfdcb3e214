// A handler before a handler: what lies in folders is answered by the server itself.
//
//   edge::FileHandler files{application, net::system_calls(),
//                           {{.prefix = "/assets", .folder = "/srv/dist"}}};
//
// | below the prefix                                      | the answer                         |
// |-------------------------------------------------------|------------------------------------|
// | a regular file                                        | it, as file_answer.h has it        |
// | with a .br, .zst or .gz beside it that the client     | that, with Content-Encoding        |
// |   takes and that is no older                          |                                    |
// | a folder, and its path ends with a slash              | its index.html                     |
// | a folder, without the slash                           | 301 to the path with it            |
// | any of these, with OPTIONS                            | 204 with Allow                     |
// | any of these, with another method than GET and HEAD   | 405 with Allow                     |
// | a name that begins with a dot, a way out of the       | 404, or the inner handler's        |
// |   folder by name or by link, a FIFO, a device, nothing, |                                  |
// |   what may not be read                                |                                    |
//
// Everything else is the inner handler's. Of several prefixes the longest counts. The folder is
// found again by its path for each request, so one that is replaced, or a link that is set to
// another, is seen at once. Opens, and reads of folders, happen on the loop's thread: for local
// disks, not for network file systems that hang. Cost: five system calls beside those that send.
//
// Resource: one a handler. Thread: the loop's. Tested by file_handler_test.cc and
// test_static_files.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tercel/edge/file_answer.h"
#include "tercel/edge/file_path.h"
#include "tercel/http/handler.h"
#include "tercel/net/syscalls.h"

namespace tercel::edge {

// Who answers for what is not in the folder.
enum class Missing : std::uint8_t { kRefused, kPassedOn };

struct FileMount {
  std::string prefix;  // "/assets", decoded, without a slash at its end; empty: every path.
  std::string folder;  // An absolute path, unless the process never changes its own.
  bool index = true;   // False: folders are not there.
  Missing missing = Missing::kRefused;
  // Header fields of every answer with a file: Cache-Control, for one. At most kMountFieldsMax.
  std::vector<std::pair<std::string, std::string>> fields = {};
};

inline constexpr std::size_t kMountFieldsMax = 32;

class FileHandler final : public http::Handler {
 public:
  // `inner` and `syscalls` outlive it.
  FileHandler(http::Handler& inner, net::Syscalls& syscalls, std::vector<FileMount> mounts,
              Refuse refuse = &refuse_in_text);
  FileHandler(const FileHandler&) = delete;
  FileHandler& operator=(const FileHandler&) = delete;

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;

 private:
  struct Mount {
    FileMount given;
    std::vector<http::Field> fields;  // Views into it.
  };

  // Fails when it is not there, or cannot be opened; then nothing was sent.
  [[nodiscard]] Result<void> answer(const Mount& mount, PathKind kind, FilePath& path,
                                    const http::Request& request,
                                    http::Exchange& exchange) const noexcept;
  // The file at `path`, or its index.html. Fails with kNotFound, or as OpenFile.
  [[nodiscard]] Result<OpenFile> find(const Mount& mount, int folder, PathKind kind,
                                      FilePath& path) const noexcept;
  void answer_with(const Mount& mount, int folder, FilePath& path, OpenFile file,
                   const http::Request& request, http::Exchange& exchange) const noexcept;
  void redirect(const http::Request& request, http::Exchange& exchange) const noexcept;
  // REQUIRES: the method is neither GET nor HEAD.
  void refuse_method(const http::Request& request, http::Exchange& exchange) const noexcept;

  http::Handler& inner_;
  net::Syscalls& syscalls_;
  std::vector<Mount> mounts_;  // The longest prefix first.
  Refuse refuse_;
};

}  // namespace tercel::edge
