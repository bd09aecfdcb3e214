// What a multipart form brought: its texts, and its files.
//
//   Form form{plan, blocks, {.directory = "/var/tmp"}};
//   form.begin(head); form.add(bytes); form.end();       // For each part.
//   form.finish();
//   plan.collect(..., form.values());
//   for (const Upload& file : form.uploads()) ... form.read(file, 0, into)
//
// Kept is what the plan of a route has a parameter for; of other parts nothing is. A file is in
// memory as long as it has kFileMemoryBytesMax at most, and all of them kFormMemoryBytesMax; others
// are in one spool (spool.h). Of a parameter that is no array the last part counts, as in a query.
// A file without a name and without data is what a browser sends for one that nobody chose: it was
// not given, as was a text that is empty (parameter.h).
//
// | limit                                                  | failure       |
// |--------------------------------------------------------|---------------|
// | kFormTextBytesMax of all texts                         | kFormTooLarge |
// | kFormFilesMax files                                    | kTooManyParts |
// | Parameter::bytes_max of a file, or of those of a list  | kFileTooLarge |
//
// The number of parts and the size of their heads are the parser's to limit. Also fails as Spool
// does. Resource: one a request. Tested by form_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tercel/api/request_plan.h"
#include "tercel/api/spool.h"
#include "tercel/base/block_pool.h"
#include "tercel/base/result.h"
#include "tercel/http/message.h"
#include "tercel/http/multipart_head.h"

namespace tercel::api {

// One file. Resource: moves. Views are valid as long as its form.
class Upload {
 public:
  Upload(Upload&&) noexcept = default;
  Upload& operator=(Upload&&) noexcept = default;

  // Its number in the plan.
  [[nodiscard]] std::uint32_t parameter() const noexcept { return parameter_; }
  // As the client says it, which may be anything, "../../etc/passwd" too: never a path to write to.
  [[nodiscard]] std::string_view filename() const noexcept { return filename_; }
  // As sent; empty: the part has none.
  [[nodiscard]] std::string_view content_type() const noexcept { return content_type_; }
  [[nodiscard]] std::span<const http::Field> fields() const noexcept { return fields_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  // It is in the spool, from offset() on; else all of it is in memory().
  [[nodiscard]] bool spooled() const noexcept { return spooled_; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  [[nodiscard]] std::string_view memory() const noexcept {
    return {data_.data(), spooled_ ? 0 : static_cast<std::size_t>(size_)};
  }

 private:
  friend class Form;
  Upload() = default;

  Block head_;  // What the views are into.
  Block data_;
  std::string_view filename_;
  std::string_view content_type_;
  std::span<const http::Field> fields_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_ = 0;
  std::uint32_t parameter_ = 0;
  bool spooled_ = false;
};

class Form {
 public:
  // All arguments outlive it.
  Form(const RequestPlan& plan, BlockPool& blocks, const Spool::Options& spool) noexcept
      : plan_{plan}, blocks_{blocks}, spool_{blocks, spool} {}
  Form(const Form&) = delete;
  Form& operator=(const Form&) = delete;

  // --- the parts as they arrive: begin(), any number of add(), end(); finish() behind the last.
  // Each throws std::bad_alloc; then the form is of no more use.
  [[nodiscard]] Result<void> begin(const http::PartHead& head);
  [[nodiscard]] Result<void> add(std::string_view data);
  void end();
  [[nodiscard]] Result<void> finish();

  // --- after finish()
  // In the order of arrival; of a file the name is the text. Valid as long as the form.
  [[nodiscard]] std::span<const FormValue> values() const noexcept { return values_; }
  [[nodiscard]] std::span<const Upload> uploads() const noexcept { return uploads_; }
  // Bytes of a file, as Spool::read().
  [[nodiscard]] Result<std::size_t> read(const Upload& file, std::uint64_t offset,
                                         std::span<char> into) const noexcept;
  // Where the files are that are not in memory.
  [[nodiscard]] Spool& spool() noexcept { return spool_; }

 private:
  enum class Kind : std::uint8_t {
    kDropped,   // Nobody asks for it.
    kText,      // It goes behind texts_.
    kFile,      // It is the last of uploads_.
    kNotAFile,  // A text for a file.
    kNotAText   // A file for a text.
  };
  // What a part is, while its text is not at its last place yet.
  struct Part {
    std::uint32_t parameter;
    Kind kind;
    std::size_t offset;  // Of the text, in texts_.
    std::size_t size;    // Of the text; of what is none, of the data.
    std::size_t file;    // In uploads_.
  };

  [[nodiscard]] Result<void> begin_file(const http::PartHead& head);
  [[nodiscard]] Result<void> add_text(std::string_view text) noexcept;
  [[nodiscard]] Result<void> add_to_file(std::string_view data);
  [[nodiscard]] Result<void> move_to_spool(Upload& file);
  // Takes `bytes` of a parameter's files off what it may have.
  [[nodiscard]] bool allows(std::uint32_t parameter, std::uint64_t bytes);
  void end_file();

  const RequestPlan& plan_;
  BlockPool& blocks_;
  Spool spool_;
  Block texts_;
  std::size_t text_bytes_ = 0;
  std::size_t memory_bytes_ = 0;  // Of files.
  std::size_t files_ = 0;         // That began.
  std::vector<Upload> uploads_;
  std::vector<Part> parts_;
  std::vector<FormValue> values_;
  std::vector<std::uint64_t> file_bytes_;  // By parameter; empty: there was no file.
  Part part_{};
};

}  // namespace tercel::api
