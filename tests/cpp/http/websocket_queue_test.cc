#include "tercel/http/websocket_queue.h"

#include <deque>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

class MessageQueueTest : public testing::Test {
 protected:
  void put(std::string_view text, MessageKind kind = MessageKind::kText) {
    char* const room = queue_.reserve(pool_, text.size());
    ASSERT_NE(room, nullptr);
    text.copy(room, text.size());
    queue_.commit(kind, text.size());
  }
  void put_in_parts(std::string_view text, std::size_t step) {
    while (!text.empty()) {
      const std::size_t part = std::min(step, text.size());
      const std::span<char> room = buffer_.room(pool_, part, text.size());
      const std::size_t bytes = std::min(room.size(), part);
      text.copy(room.data(), bytes);
      buffer_.add(bytes);
      text.remove_prefix(bytes);
    }
    ASSERT_TRUE(queue_.push(pool_, MessageKind::kBinary, buffer_));
  }
  std::string take() {
    std::string text{queue_.front().bytes};
    queue_.pop();
    return text;
  }

  BlockPool pool_;
  MessageQueue queue_;
  MessageBuffer buffer_;
};

TEST_F(MessageQueueTest, IsFirstInFirstOut) {
  EXPECT_TRUE(queue_.empty());
  put("one");
  put("", MessageKind::kBinary);
  put_in_parts(std::string(100'000, 'x'), 1000);
  put("four");
  EXPECT_EQ(queue_.count(), 4U);
  EXPECT_EQ(queue_.front().kind, MessageKind::kText);
  EXPECT_EQ(take(), "one");
  EXPECT_EQ(queue_.front().kind, MessageKind::kBinary);
  EXPECT_EQ(take(), "");
  EXPECT_EQ(take(), std::string(100'000, 'x'));
  EXPECT_EQ(take(), "four");
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.bytes(), 0U);
  EXPECT_EQ(pool_.outstanding(), 0U);
}

// The model is std::deque.
TEST_F(MessageQueueTest, KeepsWhatItWasGivenWhateverTheSizes) {
  std::mt19937 random{7};  // NOLINT(cert-msc51-cpp): the same in every run.
  std::deque<std::string> model;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0 || model.empty()) {
      const std::size_t bytes = random() % 8 == 0 ? random() % 20'000 : random() % 40;
      model.emplace_back(bytes, static_cast<char>('a' + i % 26));
      random() % 3 == 0 ? put_in_parts(model.back(), 1 + random() % 700) : put(model.back());
    } else {
      ASSERT_EQ(take(), model.front());
      model.pop_front();
    }
    ASSERT_EQ(queue_.count(), model.size());
  }
  queue_.clear();
  EXPECT_EQ(pool_.outstanding(), 0U);
}

// 6 bytes on the wire each.
TEST_F(MessageQueueTest, CostsInProportionForMessagesThatAreEmpty) {
  for (int i = 0; i < 10'000; ++i) put("");
  EXPECT_LE(queue_.bytes(), 10'000 * 16U);
  EXPECT_LE(pool_.outstanding(), 10'000 * 16U / 4000 + 2);
}

TEST_F(MessageQueueTest, HoldsOneSmallBlockForASmallMessage) {
  put("hello");
  EXPECT_EQ(pool_.outstanding(), 1U);
  EXPECT_EQ(take(), "hello");
  EXPECT_EQ(pool_.outstanding(), 0U);
}

// Memory is that of what arrived, within the factor between two classes of blocks, whatever was
// announced.
TEST_F(MessageQueueTest, GrowsWithWhatArrived) {
  std::size_t arrived = 0;
  while (arrived < (1 << 20)) {
    const std::span<char> room = buffer_.room(pool_, 1, 16 << 20);
    ASSERT_FALSE(room.empty());
    ASSERT_LE(room.size(), 4 * arrived + 1024);
    buffer_.add(1);
    ++arrived;
  }
}

}  // namespace
}  // namespace tercel::http
