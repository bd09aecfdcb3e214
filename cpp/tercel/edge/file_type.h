// The media type of a file, by the end of its name.
//
//   file_type("css/site.css").media_type  // "text/css; charset=utf-8"
//
// A table of our own: that of the system, /etc/mime.types, is another on each machine and missing
// in small images, and then a page that worked on one does not on the other. Names that are not in
// it are application/octet-stream, which no browser shows. Cost: a binary search. Source: the IANA
// registry of media types; RFC 9239 (JavaScript). Tested by file_type_test.cc.
#pragma once

#include <string_view>

namespace tercel::edge {

struct FileType {
  std::string_view media_type = "application/octet-stream";
  // False: its bytes are compressed already, so nobody keeps a compressed copy beside it.
  bool compressible = true;
};

[[nodiscard]] FileType file_type(std::string_view path) noexcept;

}  // namespace tercel::edge
