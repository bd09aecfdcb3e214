// The official test suite of JSON Schema, draft 2020-12: every required case, and of the optional
// ones all but kExpectedFailures.
//
// Read from the folder that TERCEL_JSON_SCHEMA_SUITE names, or beside the repository. Skipped, and
// says so, when it is not there.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "json/to_text.h"
#include "tercel/json/parser.h"
#include "tercel/schema/registry.h"
#include "tercel/schema/validator.h"

namespace tercel::schema {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRemoteBase = "http://localhost:1234/";

// Beginnings of "file: group: case", of the optional part only, and how many fail. Shrinks, and
// does not grow.
const std::map<std::string, int> kExpectedFailures = {};

fs::path suite() {
  const char* const named = std::getenv("TERCEL_JSON_SCHEMA_SUITE");
  return named != nullptr ? fs::path{named} : fs::path{TERCEL_SUITE};
}

std::string read(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<fs::path> json_files(const fs::path& folder, bool deep) {
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator at{folder}, end; at != end; ++at) {
    if (!deep && at->is_directory()) at.disable_recursion_pending();
    if (at->path().extension() == ".json") files.push_back(at->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Schemas that cases refer to, by URI.
std::map<std::string, std::string> remotes(const fs::path& root) {
  std::map<std::string, std::string> found;
  for (const fs::path& path : json_files(root, true)) {
    const std::string name = fs::relative(path, root).generic_string();
    // Of drafts that we do not read.
    if (name.starts_with("draft3/") || name.starts_with("draft4/") || name.starts_with("draft6/") ||
        name.starts_with("v1/")) {
      continue;
    }
    found[std::string{kRemoteBase} + name] = read(path);
  }
  return found;
}

class SuiteTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(suite() / "draft2020-12")) {
      GTEST_SKIP() << "the suite is not at " << suite() << "; set TERCEL_JSON_SCHEMA_SUITE";
    }
    remotes_ = remotes(suite() / "remotes");
  }

  // Dialects before the schemas that use them.
  void add_remotes(Registry& registry) {
    for (const bool metaschemas : {true, false}) {
      for (const auto& [uri, text] : remotes_) {
        const bool metaschema = text.find("$vocabulary") != std::string::npos;
        if (metaschema == metaschemas) {
          EXPECT_TRUE(registry.add(uri, text)) << uri << ": " << registry.fault().reason;
        }
      }
    }
  }

  void run_file(const fs::path& path, ValidateOptions options) {
    json::Parser parser;
    json::Document document;
    const std::string text = read(path);
    ASSERT_TRUE(parser.parse(text, document));
    const std::string name = fs::relative(path, suite() / "draft2020-12").generic_string();
    for (const json::Value group : document.root().elements()) run_group(name, group, options);
  }

  void run_group(const std::string& file, json::Value group, ValidateOptions options) {
    const std::string title = file + ": " + std::string{group.find("description")->string()};
    Registry registry;
    add_remotes(registry);
    const bool added =
        registry.add("suite:schema", json::to_text(*group.find("schema"))).has_value();
    Result<Program> program = added ? registry.compile("suite:schema") : fail(Errc::kBadSchema);
    Validator validator{options};
    for (const json::Value test : group.find("tests")->elements()) {
      const std::string label = title + ": " + std::string{test.find("description")->string()};
      const bool expected = test.find("valid")->boolean();
      const bool passed = program && validator.validate(*program, *test.find("data")) == expected &&
                          (expected ? validator.errors().empty() : !validator.errors().empty());
      judge(label, passed,
            program ? "" : registry.fault().reason + " at " + registry.fault().location);
    }
  }

  void judge(const std::string& label, bool passed, const std::string& fault) {
    ++cases_;
    if (passed) return;
    for (const auto& [beginning, count] : kExpectedFailures) {
      if (!label.starts_with(beginning)) continue;
      ++failures_[beginning];
      return;
    }
    ADD_FAILURE() << label << ' ' << fault;
  }

  std::map<std::string, std::string> remotes_;
  std::map<std::string, int> failures_;
  int cases_ = 0;
};

TEST_F(SuiteTest, EveryRequiredCasePasses) {
  for (const fs::path& path : json_files(suite() / "draft2020-12", false)) run_file(path, {});
  EXPECT_GT(cases_, 1000);
}

TEST_F(SuiteTest, OptionalCasesPassButForAShortList) {
  const fs::path optional = suite() / "draft2020-12" / "optional";
  for (const fs::path& path : json_files(optional, false)) {
    // These two files are about formats in schemas; all others assert them, or have none.
    const bool asserted = path.filename() != "format-assertion.json";
    run_file(path, {.assert_formats = asserted});
  }
  for (const fs::path& path : json_files(optional / "format", true)) {
    run_file(path, {.assert_formats = true});
  }
  EXPECT_GT(cases_, 800);
  EXPECT_EQ(failures_, kExpectedFailures) << "the list must say what is so, and only shrinks";
}

}  // namespace
}  // namespace tercel::schema
