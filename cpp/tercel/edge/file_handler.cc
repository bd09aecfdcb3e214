#include "tercel/edge/file_handler.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>

#include "tercel/edge/file_type.h"
#include "tercel/http/accept.h"

namespace tercel::edge {
namespace {

using http::Field;
using http::Final;
using http::Payload;

constexpr std::string_view kIndex = "/index.html";
constexpr std::array<Field, 1> kAllow{{{"allow", "GET, HEAD"}}};

struct Coding {
  std::string_view name;
  std::string_view ending;
};

// Of equal weight the first: that which is the smallest.
constexpr std::array<Coding, 3> kCodings{{{"br", ".br"}, {"zstd", ".zst"}, {"gzip", ".gz"}}};

// Those that the client takes, and likes no less than the bytes as they are; the best first.
class WantedCodings {
 public:
  explicit WantedCodings(std::span<const Field> fields) noexcept {
    const int plain = http::coding_weight(fields, "identity");
    std::array<int, kCodings.size()> weights{};
    for (std::size_t i = 0; i < kCodings.size(); ++i) {
      weights[i] = http::coding_weight(fields, kCodings[i].name);
      if (weights[i] == 0 || weights[i] < plain) continue;
      std::size_t place = count_++;
      for (; place > 0 && weights[order_[place - 1]] < weights[i]; --place) {
        order_[place] = order_[place - 1];
      }
      order_[place] = i;
    }
  }
  [[nodiscard]] std::span<const std::size_t> all() const& noexcept {
    return std::span{order_}.first(count_);
  }

 private:
  std::array<std::size_t, kCodings.size()> order_{};
  std::size_t count_ = 0;
};

// A folder that is open to find files in.
class FolderDescriptor {
 public:
  FolderDescriptor(net::Syscalls& syscalls, const char* path) noexcept
      : syscalls_{syscalls},
        descriptor_{syscalls.openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC)} {}
  FolderDescriptor(const FolderDescriptor&) = delete;
  FolderDescriptor& operator=(const FolderDescriptor&) = delete;
  ~FolderDescriptor() {
    if (descriptor_ >= 0) syscalls_.close(descriptor_);
  }
  [[nodiscard]] int get() const noexcept { return descriptor_; }

 private:
  net::Syscalls& syscalls_;
  int descriptor_;
};

std::chrono::nanoseconds today() noexcept {
  return std::chrono::system_clock::now().time_since_epoch();
}

// What a compressed copy was made of may have changed since. In whole seconds, as some that make
// copies set no more.
bool is_no_older(const OpenFile& copy, const OpenFile& original) noexcept {
  using std::chrono::seconds;
  return std::chrono::floor<seconds>(copy.modified()) >=
         std::chrono::floor<seconds>(original.modified());
}

}  // namespace

FileHandler::FileHandler(http::Handler& inner, net::Syscalls& syscalls,
                         std::vector<FileMount> mounts, Refuse refuse)
    : inner_{inner}, syscalls_{syscalls}, refuse_{refuse} {
  for (FileMount& mount : mounts) {
    const auto place = std::find_if(mounts_.begin(), mounts_.end(), [&](const Mount& other) {
      return other.given.prefix.size() < mount.prefix.size();
    });
    mounts_.insert(place, Mount{.given = std::move(mount), .fields = {}});
  }
  // Once nothing moves any more.
  for (Mount& mount : mounts_) {
    for (const auto& [name, value] : mount.given.fields) mount.fields.push_back({name, value});
  }
}

void FileHandler::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  for (const Mount& mount : mounts_) {
    FilePath path;
    const PathKind kind = path.read(request.path, mount.given.prefix);
    if (kind == PathKind::kElsewhere) continue;
    const Result<void> answered = answer(mount, kind, path, request, exchange);
    if (answered) return;
    if (answered.error() != Errc::kNotFound) return exchange.abort(answered.error());
    if (mount.given.missing == Missing::kPassedOn) break;
    return refuse_(exchange, asked_by(request), Errc::kNotFound, {});
  }
  inner_.handle(request, exchange);
}

Result<void> FileHandler::answer(const Mount& mount, PathKind kind, FilePath& path,
                                 const http::Request& request,
                                 http::Exchange& exchange) const noexcept {
  if (kind == PathKind::kRefused) return fail(Errc::kNotFound);
  const FolderDescriptor folder{syscalls_, mount.given.folder.c_str()};
  if (folder.get() < 0) {
    const Errc error = net::error_of_call(folder.get());
    return fail(error == Errc::kTooManyFiles ? error : Errc::kNotFound);
  }
  Result<OpenFile> file = find(mount, folder.get(), kind, path);
  if (!file) return fail(file.error());
  if (request.method != "GET" && request.method != "HEAD") {
    refuse_method(request, exchange);
  } else if (file->is_folder()) {
    redirect(request, exchange);
  } else {
    answer_with(mount, folder.get(), path, *std::move(file), request, exchange);
  }
  return {};
}

void FileHandler::refuse_method(const http::Request& request,
                                http::Exchange& exchange) const noexcept {
  if (request.method != "OPTIONS") {
    return refuse_(exchange, asked_by(request), Errc::kMethodNotAllowed, kAllow);
  }
  if (exchange.start({.status = 204, .fields = kAllow})) {
    (void)exchange.write(Payload::borrow({}), Final::kYes);
  }
}

Result<OpenFile> FileHandler::find(const Mount& mount, int folder, PathKind kind,
                                   FilePath& path) const noexcept {
  const bool in_folder = kind == PathKind::kFolder;
  if (in_folder && !mount.given.index) return fail(Errc::kNotFound);
  if (in_folder) path.append(kIndex);
  Result<OpenFile> file = OpenFile::open_beneath(syscalls_, folder, path.c_str());
  if (file && file->is_folder() && (in_folder || !mount.given.index)) return fail(Errc::kNotFound);
  return file;
}

void FileHandler::answer_with(const Mount& mount, int folder, FilePath& path, OpenFile file,
                              const http::Request& request,
                              http::Exchange& exchange) const noexcept {
  const FileType type = file_type(path.text());
  std::array<Field, kMountFieldsMax + 1> fields;
  const auto given = std::min(mount.fields.size(), kMountFieldsMax);
  auto end = std::copy_n(mount.fields.begin(), given, fields.begin());
  FileHead head{.content_type = type.media_type, .refuse = refuse_};
  if (type.compressible) {
    // Whatever this one gets: a cache must not hand it to others.
    *end++ = {"vary", "accept-encoding"};
    const WantedCodings wanted_codings{request.fields};
    for (const std::size_t wanted : wanted_codings.all()) {
      const Coding& coding = kCodings[wanted];
      path.append(coding.ending);
      Result<OpenFile> copy = OpenFile::open_beneath(syscalls_, folder, path.c_str());
      path.cut(coding.ending.size());
      if (!copy || copy->is_folder() || !is_no_older(*copy, file)) continue;
      file = *std::move(copy);
      head.content_encoding = coding.name;
      break;
    }
  }
  head.fields = std::span{fields}.first(static_cast<std::size_t>(end - fields.begin()));
  if (const auto started = answer_file(exchange, asked_by(request), std::move(file), head, today());
      !started) {
    exchange.abort(started.error());
  }
}

void FileHandler::redirect(const http::Request& request, http::Exchange& exchange) const noexcept {
  // From the last name on: whoever took a prefix off the path need not be known. Behind "./" no
  // name is taken for a scheme or a host.
  std::string location = "./";
  location += request.path.substr(request.path.rfind('/') + 1);
  location += '/';
  if (!request.query.empty()) (location += '?') += request.query;
  const std::array<Field, 1> fields{{{"location", location}}};
  if (const auto started = exchange.start({.status = 301, .fields = fields}); !started) {
    return exchange.abort(started.error());
  }
  (void)exchange.write(Payload::borrow({}), Final::kYes);
}

}  // namespace tercel::edge
