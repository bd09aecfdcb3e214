#include "tercel/edge/file_type.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tercel::edge {
namespace {

constexpr std::size_t kExtensionBytesMax = 11;

// The texts themselves, so that the loader has nothing to do for a table that few processes look
// at.
struct Row {
  char extension[kExtensionBytesMax + 1];  // In lower case, in ascending order.
  char media_type[75];
  bool compressible = true;
};

constexpr bool kPacked = false;

constexpr Row kRows[] = {
    {"7z", "application/x-7z-compressed", kPacked},
    {"aac", "audio/aac", kPacked},
    {"apng", "image/apng", kPacked},
    {"avif", "image/avif", kPacked},
    {"bmp", "image/bmp"},
    {"br", "application/octet-stream", kPacked},
    {"bz2", "application/x-bzip2", kPacked},
    {"cjs", "text/javascript; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", kPacked},
    {"eot", "application/vnd.ms-fontobject"},
    {"epub", "application/epub+zip", kPacked},
    {"flac", "audio/flac", kPacked},
    {"geojson", "application/geo+json"},
    {"gif", "image/gif", kPacked},
    {"glb", "model/gltf-binary"},
    {"gltf", "model/gltf+json"},
    {"gz", "application/gzip", kPacked},
    {"heic", "image/heic", kPacked},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"ics", "text/calendar; charset=utf-8"},
    {"jpeg", "image/jpeg", kPacked},
    {"jpg", "image/jpeg", kPacked},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl", kPacked},
    {"m3u8", "application/vnd.apple.mpegurl"},
    {"m4a", "audio/mp4", kPacked},
    {"m4s", "video/iso.segment", kPacked},
    {"m4v", "video/mp4", kPacked},
    {"map", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mkv", "video/matroska", kPacked},
    {"mov", "video/quicktime", kPacked},
    {"mp3", "audio/mpeg", kPacked},
    {"mp4", "video/mp4", kPacked},
    {"mpd", "application/dash+xml"},
    {"oga", "audio/ogg", kPacked},
    {"ogg", "audio/ogg", kPacked},
    {"ogv", "video/ogg", kPacked},
    {"opus", "audio/ogg", kPacked},
    {"otf", "font/otf"},
    {"pdf", "application/pdf", kPacked},
    {"png", "image/png", kPacked},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", kPacked},
    {"rss", "application/rss+xml"},
    {"rtf", "application/rtf"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"toml", "application/toml"},
    {"ts", "video/mp2t", kPacked},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"vtt", "text/vtt; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"weba", "audio/webm", kPacked},
    {"webm", "video/webm", kPacked},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp", kPacked},
    {"woff", "font/woff", kPacked},
    {"woff2", "font/woff2", kPacked},
    {"xhtml", "application/xhtml+xml"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", kPacked},
    {"xml", "application/xml"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip", kPacked},
    {"zst", "application/zstd", kPacked},
};

constexpr std::string_view extension_of(const Row& row) noexcept {
  return row.extension;
}

static_assert(std::is_sorted(std::begin(kRows), std::end(kRows), [](const Row& a, const Row& b) {
  return extension_of(a) < extension_of(b);
}));

}  // namespace

FileType file_type(std::string_view path) noexcept {
  const std::size_t dot = path.find_last_of("./");
  if (dot == std::string_view::npos || path[dot] != '.') return {};
  const std::string_view given = path.substr(dot + 1);
  if (given.size() > kExtensionBytesMax) return {};
  std::array<char, kExtensionBytesMax> lower;
  const auto* const end = std::transform(given.begin(), given.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  const std::string_view extension{lower.data(), static_cast<std::size_t>(end - lower.begin())};
  const auto* const row = std::lower_bound(
      std::begin(kRows), std::end(kRows), extension,
      [](const Row& one, std::string_view wanted) { return extension_of(one) < wanted; });
  if (row == std::end(kRows) || extension_of(*row) != extension) return {};
  return {.media_type = row->media_type, .compressible = row->compressible};
}

}  // namespace tercel::edge
