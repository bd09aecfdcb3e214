// Says what tercel makes of schemas and documents, for tests that compare it with other validators.
//
//   schema_check [--formats]
//
// Reads pairs from stdin, the schema before the document: each is its size in four bytes,
// big-endian, then as many bytes. A schema that is empty is the one before. Writes one line of JSON
// for each pair:
//   {"verdict":"valid"}   {"verdict":"invalid","errors":[["/path","keyword"]]}
//   {"verdict":"refused","reason":"..."}   {"verdict":"stopped"}   {"verdict":"malformed"}
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/json/parser.h"
#include "tercel/json/writer.h"
#include "tercel/schema/registry.h"
#include "tercel/schema/validator.h"

namespace tercel::schema {
namespace {

constexpr std::string_view kUri = "check:schema";

bool read_text(std::string& text) {
  unsigned char size[4];
  if (std::fread(size, 1, sizeof size, stdin) != sizeof size) return false;
  text.resize(static_cast<std::size_t>(size[0]) << 24 | static_cast<std::size_t>(size[1]) << 16 |
              static_cast<std::size_t>(size[2]) << 8 | size[3]);
  return std::fread(text.data(), 1, text.size(), stdin) == text.size();
}

class Checker {
 public:
  explicit Checker(ValidateOptions options) : validator_{options} {}

  void set_schema(std::string_view text) {
    program_.reset();
    registry_.emplace();
    if (!registry_->add(kUri, text)) return;
    if (Result<Program> compiled = registry_->compile(kUri)) program_.emplace(std::move(*compiled));
  }

  std::string check(std::string_view text) {
    BlockPool pool;
    json::Writer writer{pool};
    writer.begin_object();
    writer.key("verdict");
    if (!program_) {
      writer.string("refused");
      writer.key("reason");
      writer.string(registry_->fault().location + ": " + registry_->fault().reason);
    } else if (!parser_.parse(text, document_)) {
      writer.string("malformed");
    } else {
      write_verdict(writer);
    }
    writer.end_object();
    return std::string{writer.view()};
  }

 private:
  void write_verdict(json::Writer& writer) {
    const bool valid = validator_.validate(*program_, document_.root());
    if (valid) return writer.string("valid");
    if (validator_.verdict() != Verdict::kInvalid) return writer.string("stopped");
    writer.string("invalid");
    writer.key("errors");
    writer.begin_array();
    for (const Error& error : validator_.errors()) {
      writer.begin_array();
      writer.string(to_pointer(find_path(document_.root(), error.value)));
      writer.string(info(error.keyword).name);
      writer.end_array();
    }
    writer.end_array();
  }

  std::optional<Registry> registry_;
  std::optional<Program> program_;
  Validator validator_;
  json::Parser parser_;
  json::Document document_;
};

}  // namespace
}  // namespace tercel::schema

int main(int argc, char** argv) {
  const bool formats = argc > 1 && std::string_view{argv[1]} == "--formats";
  tercel::schema::Checker checker{{.assert_formats = formats, .errors_max = 10'000}};
  std::string schema;
  std::string document;
  while (tercel::schema::read_text(schema) && tercel::schema::read_text(document)) {
    if (!schema.empty()) checker.set_schema(schema);
    std::puts(checker.check(document).c_str());
  }
}
