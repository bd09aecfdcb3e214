#include "tercel/api/form.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tercel/api/limits.h"
#include "tercel/http/message_copy.h"

namespace tercel::api {

// --- the parts as they arrive

Result<void> Form::begin(const http::PartHead& head) {
  part_ = {.parameter = 0, .kind = Kind::kDropped, .offset = text_bytes_, .size = 0, .file = 0};
  const auto parameter = plan_.find_form(head.name);
  if (!parameter) return {};
  part_.parameter = *parameter;
  const bool wants_file = plan_.parameters()[*parameter].type == Type::kFile;
  if (!head.filename) {
    part_.kind = wants_file ? Kind::kNotAFile : Kind::kText;
    return {};
  }
  if (++files_ > kFormFilesMax) return fail(Errc::kTooManyParts);
  part_.kind = wants_file ? Kind::kFile : Kind::kNotAText;
  return wants_file ? begin_file(head) : Result<void>{};
}

Result<void> Form::begin_file(const http::PartHead& head) {
  Upload file;
  const std::size_t fields_bytes = http::copy_bytes(head.fields);
  file.head_ = blocks_.take(fields_bytes + head.filename->size());
  if (!file.head_) return fail(Errc::kNoMemory);
  file.fields_ = http::copy(head.fields, file.head_.data());
  char* const name = file.head_.data() + fields_bytes;
  std::copy(head.filename->begin(), head.filename->end(), name);
  file.filename_ = {name, head.filename->size()};
  if (const auto* const type = http::find_field(file.fields_, "content-type")) {
    file.content_type_ = type->value;
  }
  file.parameter_ = part_.parameter;
  part_.file = uploads_.size();
  uploads_.push_back(std::move(file));
  return {};
}

Result<void> Form::add(std::string_view data) {
  switch (part_.kind) {
    case Kind::kText:
      return add_text(data);
    case Kind::kFile:
      return add_to_file(data);
    default:
      part_.size += data.size();
      return {};
  }
}

Result<void> Form::add_text(std::string_view text) noexcept {
  if (text.size() > kFormTextBytesMax - text_bytes_) return fail(Errc::kFormTooLarge);
  if (!blocks_.append(texts_, text_bytes_, text)) return fail(Errc::kNoMemory);
  text_bytes_ += text.size();
  part_.size += text.size();
  return {};
}

bool Form::allows(std::uint32_t parameter, std::uint64_t bytes) {
  if (file_bytes_.empty()) file_bytes_.resize(plan_.parameters().size());
  std::uint64_t& taken = file_bytes_[parameter];
  if (bytes > plan_.parameters()[parameter].bytes_max - taken) return false;
  taken += bytes;
  return true;
}

Result<void> Form::add_to_file(std::string_view data) {
  if (!allows(part_.parameter, data.size())) return fail(Errc::kFileTooLarge);
  Upload& file = uploads_.back();
  const bool fits = file.size_ + data.size() <= kFileMemoryBytesMax &&
                    memory_bytes_ + data.size() <= kFormMemoryBytesMax;
  if (!file.spooled_ && !fits) {
    if (auto moved = move_to_spool(file); !moved) return moved;
  }
  if (file.spooled_) {
    if (auto appended = spool_.append(data); !appended) return appended;
  } else {
    if (!blocks_.append(file.data_, file.size_, data)) return fail(Errc::kNoMemory);
    memory_bytes_ += data.size();
  }
  file.size_ += data.size();
  return {};
}

Result<void> Form::move_to_spool(Upload& file) {
  file.offset_ = spool_.size();
  file.spooled_ = true;
  const Block data = std::move(file.data_);
  memory_bytes_ -= file.size_;
  return spool_.append({data.data(), static_cast<std::size_t>(file.size_)});
}

void Form::end() {
  switch (part_.kind) {
    case Kind::kDropped:
      return;
    case Kind::kFile:
      return end_file();
    case Kind::kNotAFile:
      if (part_.size == 0) return;  // Nothing that was not understood.
      break;
    default:
      break;
  }
  parts_.push_back(part_);
}

void Form::end_file() {
  const Upload& file = uploads_.back();
  if (file.filename_.empty() && file.size_ == 0) return uploads_.pop_back();
  if (!plan_.parameters()[part_.parameter].array) {
    // One that came before it is replaced. Its place stays, so that those behind it keep theirs.
    for (Part& other : parts_) {
      if (other.kind != Kind::kFile || other.parameter != part_.parameter) continue;
      memory_bytes_ -= uploads_[other.file].memory().size();
      uploads_[other.file] = Upload{};
      other.kind = Kind::kDropped;
    }
  }
  parts_.push_back(part_);
}

Result<void> Form::finish() {
  if (auto flushed = spool_.flush(); !flushed) return flushed;
  std::vector<Upload> kept;
  for (const Part& part : parts_) {
    if (part.kind == Kind::kDropped) continue;
    FormValue value{.parameter = part.parameter, .text = {}, .kind = FormValue::Kind::kFile};
    if (part.kind == Kind::kFile) {
      kept.push_back(std::move(uploads_[part.file]));
      value.text = kept.back().filename_;
    } else if (part.kind == Kind::kText) {
      value.text = {texts_.data() + part.offset, part.size};
      value.kind = FormValue::Kind::kText;
    } else if (part.kind == Kind::kNotAFile) {
      value.kind = FormValue::Kind::kDroppedText;
    }
    values_.push_back(value);
  }
  uploads_ = std::move(kept);
  return {};
}

// --- what became of them

Result<std::size_t> Form::read(const Upload& file, std::uint64_t offset,
                               std::span<char> into) const noexcept {
  if (offset >= file.size()) return std::size_t{0};
  const std::uint64_t left = file.size() - offset;
  into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, into.size())));
  if (file.spooled()) return spool_.read(file.offset() + offset, into);
  std::memcpy(into.data(), file.memory().data() + offset, into.size());
  return into.size();
}

}  // namespace tercel::api
