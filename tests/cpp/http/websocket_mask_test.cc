#include "tercel/http/websocket_mask.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

constexpr MaskKey kKey{'\x37', '\xfa', '\x21', '\x3d'};

std::string masked_by_byte(std::string_view text, std::uint64_t offset) {
  std::string masked{text};
  for (std::size_t i = 0; i < masked.size(); ++i) {
    masked[i] = static_cast<char>(masked[i] ^ kKey[(i + offset) % 4]);
  }
  return masked;
}

std::string sample(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

// Every size up to several steps of the widest engine, at every phase of the key; copied and in
// place.
TEST(MaskTest, IsWhatMaskingByteByByteGives) {
  for (std::size_t bytes = 0; bytes < 400; ++bytes) {
    const std::string text = sample(bytes);
    for (std::uint64_t offset = 0; offset < 5; ++offset) {
      std::string copied(bytes, 'x');
      mask_copy(copied.data(), text.data(), bytes, kKey, offset);
      ASSERT_EQ(copied, masked_by_byte(text, offset)) << bytes << ' ' << offset;
      std::string in_place = text;
      mask_copy(in_place.data(), in_place.data(), bytes, kKey, offset);
      ASSERT_EQ(in_place, copied);
    }
  }
}

TEST(MaskTest, ContinuesAtEverySplit) {
  const std::string text = sample(97);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    std::string out(text.size(), 'x');
    mask_copy(out.data(), text.data(), cut, kKey, 0);
    mask_copy(out.data() + cut, text.data() + cut, text.size() - cut, kKey, cut);
    ASSERT_EQ(out, masked_by_byte(text, 0)) << cut;
  }
}

TEST(MaskTest, EnginesAgree) {
  using Engine = std::size_t (*)(char*, const char*, std::size_t, std::uint32_t) noexcept;
  const struct {
    Engine engine;
    std::size_t step;
  } engines[] = {{&mask::portable, 8}, {&mask::vector16, 16}, {&mask::vector32, 32}};
  for (const auto& [engine, step] : engines) {
    if (step == 32 && !mask::has_vector32()) continue;
    for (std::size_t bytes = 0; bytes < 200; ++bytes) {
      const std::string text = sample(bytes);
      std::string out(bytes, 'x');
      std::uint32_t word = 0;
      std::memcpy(&word, kKey.data(), sizeof word);
      const std::size_t done = engine(out.data(), text.data(), bytes, word);
      ASSERT_EQ(done, bytes / step * step);
      ASSERT_EQ(out.substr(0, done), masked_by_byte(text.substr(0, done), 0)) << step;
    }
  }
}

}  // namespace
}  // namespace tercel::http
