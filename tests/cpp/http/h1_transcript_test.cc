// Runs the transcripts of tests/conformance/http1: documents that show bytes and what is made of
// them. Their README.md says how they are written.
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/h1_message.h"

namespace tercel::http {
namespace {

struct Transcript {
  std::string title;
  std::string input;
  std::string result;
  Limits limits;
};

// How CTest and people name it.
void PrintTo(const Transcript& transcript, std::ostream* out) {
  *out << transcript.title;
}

std::string unescape(std::string_view line) {
  std::string bytes;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      bytes += line[i];
      continue;
    }
    ++i;
    if (line[i] == 'x') {
      unsigned value = 0;
      std::from_chars(&line[i + 1], &line[i + 1] + 2, value, 16);
      bytes += static_cast<char>(value);
      i += 2;
    } else {
      constexpr std::string_view kNames = "rnt\\";
      bytes += "\r\n\t\\"[kNames.find(line[i])];
    }
  }
  return bytes;
}

void set_limit(Limits& limits, std::string_view line) {
  const std::size_t equals = line.find('=');
  const std::string_view name = line.substr(0, equals);
  std::size_t value = 0;
  std::from_chars(line.data() + equals + 1, line.data() + line.size(), value);
  if (name == "target_bytes_max")
    limits.target_bytes_max = value;
  else if (name == "head_bytes_max")
    limits.head_bytes_max = value;
  else if (name == "fields_max")
    limits.fields_max = value;
  else if (name == "body_bytes_max")
    limits.body_bytes_max = value;
  else if (name == "trailer_bytes_max")
    limits.trailer_bytes_max = value;
  else if (name == "chunk_line_bytes_max")
    limits.chunk_line_bytes_max = value;
  else
    ADD_FAILURE() << "no such limit: " << name;
}

// Each "## title" begins a transcript; its blocks are told apart by the word behind the fence.
std::vector<Transcript> read_document(const std::filesystem::path& path) {
  std::ifstream file{path};
  std::vector<Transcript> transcripts;
  std::string block;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) {
      transcripts.push_back({path.stem().string() + ": " + line.substr(3), {}, {}, {}});
    } else if (line.starts_with("```")) {
      block = line.substr(3);
    } else if (block == "http") {
      transcripts.back().input += unescape(line);
    } else if (block == "result") {
      transcripts.back().result += line + "\n";
    } else if (block == "limits") {
      set_limit(transcripts.back().limits, line);
    }
  }
  return transcripts;
}

std::vector<Transcript> read_all() {
  std::vector<Transcript> all;
  for (const auto& entry : std::filesystem::directory_iterator(TERCEL_TRANSCRIPTS)) {
    if (entry.path().extension() != ".md") continue;
    for (Transcript& transcript : read_document(entry.path())) all.push_back(std::move(transcript));
  }
  return all;
}

// One line of a result. Without a space at its end, which editors remove.
std::string property(std::string_view name, std::string_view bytes) {
  std::string text{name};
  if (!bytes.empty()) text += ' ';
  for (const char c : bytes) {
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
    if (c == '\r')
      text += "\\r";
    else if (c == '\n')
      text += "\\n";
    else if (c == '\t')
      text += "\\t";
    else if (c == '\\')
      text += "\\\\";
    else if (c >= ' ' && c < 0x7f)
      text += c;
    else
      text += escaped;
  }
  return text + '\n';
}

std::string print(const Message& message) {
  if (message.verdict == Verdict::kNeedMore) return "need more\n";
  if (message.verdict == Verdict::kBad) {
    const ErrorInfo row = info(message.error);
    return std::to_string(row.http_status) + ": " + std::string{row.text} + "\n";
  }
  std::string text = property("method:", message.method) + property("path:", message.path);
  if (!message.query.empty()) text += property("query:", message.query);
  text += property("authority:", message.authority);
  if (message.http10) text += "HTTP/1.0\n";
  for (const auto& [name, value] : message.fields) text += property("field " + name + ":", value);
  if (!message.body.empty()) text += property("body:", message.body);
  for (const auto& [name, value] : message.trailers) {
    text += property("trailer " + name + ":", value);
  }
  if (message.expects_continue) text += "expects 100\n";
  if (!message.protocol.empty()) text += "wants to switch to " + message.protocol + "\n";
  if (message.accepts_trailers) text += "accepts trailers\n";
  return text + (message.keep_alive ? "keep-alive" : "close") + " after " +
         std::to_string(message.bytes) + " bytes\n";
}

class TranscriptTest : public testing::TestWithParam<Transcript> {};

TEST_P(TranscriptTest, HoldsHoweverTheBytesArrive) {
  const Transcript& transcript = GetParam();
  const std::string& input = transcript.input;
  const auto read = [&](std::size_t step) {
    return print(MessageReader{input, step, transcript.limits}.read());
  };
  EXPECT_EQ(read(input.size() + 1), transcript.result);
  // A line without its end may be found bad as late as its end.
  const bool late = !input.ends_with('\n');
  for (std::size_t step = 1; step <= input.size(); step += 1 + input.size() / 100) {
    const std::string stepped = read(step);
    if (late && stepped == "need more\n") continue;
    EXPECT_EQ(stepped, transcript.result) << "in steps of " << step;
  }
}

std::string test_name(const testing::TestParamInfo<Transcript>& transcript) {
  std::string name;
  for (const char c : transcript.param.title) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain)
      name += c;
    else if (!name.ends_with('_'))
      name += '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Http1, TranscriptTest, testing::ValuesIn(read_all()), test_name);

}  // namespace
}  // namespace tercel::http
