#include "tercel/api/form.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "tercel/api/limits.h"

namespace tercel::api {
namespace {

// A form for a route with two texts, a file, and a list of files.
class FormTest : public testing::Test {
 protected:
  struct Part {
    std::string_view name;
    std::optional<std::string_view> filename = {};
    std::string_view type = {};
  };

  // The first failure, or an empty string.
  std::string add(const Part& part, std::string_view data) {
    std::vector<http::Field> fields{{"content-disposition", "form-data"}};
    if (!part.type.empty()) fields.push_back({"content-type", part.type});
    const http::PartHead head{
        .name = part.name, .filename = part.filename, .content_type = part.type, .fields = fields};
    if (auto begun = form_->begin(head); !begun) return name_of(begun.error());
    constexpr std::size_t kPiece = 50'000;
    for (; !data.empty(); data.remove_prefix(std::min(kPiece, data.size()))) {
      if (auto added = form_->add(data.substr(0, kPiece)); !added) return name_of(added.error());
    }
    form_->end();
    return {};
  }
  static std::string name_of(Errc error) { return std::string{info(error).name}; }

  // What it has: "name=text name=<file size>".
  std::string finish() {
    if (auto finished = form_->finish(); !finished) return name_of(finished.error());
    std::string all;
    std::size_t file = 0;
    for (const FormValue& value : form_->values()) {
      if (!all.empty()) all += ' ';
      all += plan_.parameters()[value.parameter].name + "=" + std::string{value.text};
      if (value.kind == FormValue::Kind::kDroppedText) all += "<dropped>";
      if (value.kind != FormValue::Kind::kFile) continue;
      const bool is_wanted = plan_.parameters()[value.parameter].type == Type::kFile;
      all += is_wanted ? "<" + std::to_string(form_->uploads()[file++].size()) + ">" : "<file>";
    }
    EXPECT_EQ(file, form_->uploads().size());
    return all;
  }

  std::string content(const Upload& file) {
    std::string all(static_cast<std::size_t>(file.size()) + 1, '?');
    const auto read = form_->read(file, 0, {all.data(), all.size()});
    EXPECT_TRUE(read);
    all.resize(read ? *read : 0);
    return all;
  }

  BlockPool blocks_;
  RequestPlan plan_{
      {{.name = "title", .in = In::kForm},
       {.name = "tags", .in = In::kForm, .array = true},
       {.name = "photo", .in = In::kForm, .type = Type::kFile, .bytes_max = 200'000},
       {.name = "pages", .in = In::kForm, .type = Type::kFile, .array = true, .bytes_max = 400'000},
       {.name = "other", .in = In::kQuery}},
      {}};
  std::optional<Form> form_{std::in_place, plan_, blocks_, Spool::Options{}};
};

TEST_F(FormTest, KeepsWhatIsAskedForInItsOrder) {
  add({"tags"}, "a");
  add({"title"}, "one");
  add({"nobody"}, "dropped");
  add({"other"}, "of the query");
  add({"photo", "p.png", "image/png"}, "0123456789");
  add({"nobody", "x"}, "dropped");
  add({"tags"}, "");
  EXPECT_EQ(finish(), "tags=a title=one photo=p.png<10> tags=");
  const Upload& photo = form_->uploads()[0];
  EXPECT_EQ(photo.filename(), "p.png");
  EXPECT_EQ(photo.content_type(), "image/png");
  ASSERT_EQ(photo.fields().size(), 2U);
  EXPECT_EQ(photo.fields()[0].value, "form-data");
  EXPECT_FALSE(photo.spooled());
  EXPECT_EQ(photo.memory(), "0123456789");
  EXPECT_EQ(content(photo), "0123456789");
}

TEST_F(FormTest, LargeFilesShareOneDescriptor) {
  const auto before = test::open_descriptors();
  const std::string large(150'000, 'l');
  const std::string larger(200'000, 'm');
  EXPECT_EQ(add({"pages", "1"}, larger), "");
  EXPECT_EQ(add({"title"}, "between"), "");
  EXPECT_EQ(add({"photo", "2"}, large), "");
  EXPECT_EQ(add({"pages", "3"}, "small"), "");
  EXPECT_EQ(finish(), "pages=1<200000> title=between photo=2<150000> pages=3<5>");
  EXPECT_EQ(test::open_descriptors(), before + 1);
  EXPECT_TRUE(form_->uploads()[1].spooled());
  EXPECT_EQ(content(form_->uploads()[0]), larger);
  EXPECT_EQ(content(form_->uploads()[1]), large);
  EXPECT_EQ(content(form_->uploads()[2]), "small");
  std::string some(20, '?');
  EXPECT_EQ(form_->read(form_->uploads()[1], 149'990, {some.data(), 20}).has_value(), true);
  EXPECT_EQ(some.substr(0, 11), "llllllllll?");
  form_.reset();
  EXPECT_EQ(test::open_descriptors(), before);
  EXPECT_EQ(blocks_.outstanding(), 0U);
}

TEST_F(FormTest, AFileIsInMemoryUpToItsThreshold) {
  EXPECT_EQ(add({"pages", "1"}, std::string(kFileMemoryBytesMax, 'x')), "");
  EXPECT_EQ(add({"pages", "2"}, std::string(kFileMemoryBytesMax + 1, 'y')), "");
  finish();
  EXPECT_FALSE(form_->uploads()[0].spooled());
  EXPECT_TRUE(form_->uploads()[1].spooled());
}

TEST_F(FormTest, AllFilesTogetherHaveAThresholdToo) {
  constexpr std::size_t kCount = kFormMemoryBytesMax / 60'000;
  for (std::size_t i = 0; i < kCount + 2; ++i) {
    EXPECT_EQ(add({"pages", "x"}, std::string(60'000, static_cast<char>('a' + i))), "");
  }
  finish();
  ASSERT_EQ(form_->uploads().size(), kCount + 2);
  EXPECT_FALSE(form_->uploads()[kCount - 1].spooled());
  EXPECT_TRUE(form_->uploads()[kCount].spooled());
  EXPECT_TRUE(form_->uploads()[kCount + 1].spooled());
  EXPECT_EQ(content(form_->uploads()[kCount + 1]),
            std::string(60'000, static_cast<char>('a' + kCount + 1)));
}

TEST_F(FormTest, TheLastFileOfOneNameCounts) {
  add({"photo", "first"}, "1");
  add({"pages", "a"}, "12");
  add({"photo", "second"}, std::string(100'000, 's'));
  add({"photo", "third"}, "123");
  add({"pages", "b"}, "");
  EXPECT_EQ(finish(), "pages=a<2> photo=third<3> pages=b<0>");
}

TEST_F(FormTest, AFileThatNobodyChoseIsNone) {
  add({"photo", "given"}, "1");
  add({"photo", ""}, "");
  add({"pages", ""}, "");
  add({"pages", ""}, "data");
  EXPECT_EQ(finish(), "photo=given<1> pages=<4>");
}

TEST_F(FormTest, WhatIsNotWhatItMustBeIsTold) {
  add({"photo"}, "a text");
  add({"photo"}, "");
  add({"title", "f.txt"}, "a file");
  EXPECT_EQ(finish(), "photo=<dropped> title=<file>");
}

TEST_F(FormTest, TextsHaveALimitTogether) {
  EXPECT_EQ(add({"title"}, std::string(kFormTextBytesMax - 1, 'x')), "");
  EXPECT_EQ(add({"nobody"}, "xxxxx"), "");
  EXPECT_EQ(add({"tags"}, "x"), "");
  EXPECT_EQ(add({"tags"}, "x"), "FormTooLarge");
}

TEST_F(FormTest, AFileHasALimit) {
  EXPECT_EQ(add({"photo", "p"}, std::string(200'000, 'x')), "");
  form_.emplace(plan_, blocks_, Spool::Options{});
  EXPECT_EQ(add({"photo", "p"}, std::string(200'001, 'x')), "FileTooLarge");
}

TEST_F(FormTest, AListOfFilesHasOneLimit) {
  EXPECT_EQ(add({"pages", "p"}, std::string(399'999, 'x')), "");
  EXPECT_EQ(add({"pages", "p"}, "x"), "");
  EXPECT_EQ(add({"pages", "p"}, "x"), "FileTooLarge");
}

TEST_F(FormTest, FilesAreCounted) {
  for (std::size_t i = 0; i < kFormFilesMax; ++i) EXPECT_EQ(add({"pages", ""}, ""), "");
  EXPECT_EQ(add({"nobody", "f"}, ""), "");
  EXPECT_EQ(add({"pages", "f"}, ""), "TooManyParts");
}

TEST_F(FormTest, ASpoolThatFailsEndsIt) {
  form_.emplace(plan_, blocks_, Spool::Options{.directory = "/nowhere"});
  EXPECT_EQ(add({"photo", "p"}, std::string(60'000, 'x')), "");
  EXPECT_EQ(add({"pages", "p"}, std::string(199'999, 'x')), "SpoolFailed");
}

}  // namespace
}  // namespace tercel::api
