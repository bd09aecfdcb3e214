#include "tercel/net/input_buffer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"

namespace tercel::net {
namespace {

using Borrow = InputBuffer::Borrow;

class InputBufferTest : public testing::Test {
 protected:
  // As a read of a stream does it: as much of `bytes` as there is room for, which is returned.
  static std::size_t receive(InputBuffer& input, std::string_view bytes, Borrow borrow) {
    const std::span<char> room = input.room(borrow);
    const std::size_t taken = std::min(room.size(), bytes.size());
    std::copy_n(bytes.data(), taken, room.data());
    input.add(taken);
    return taken;
  }
  static std::string unread(const InputBuffer& input) {
    return {input.unread().data(), input.unread().size()};
  }
  [[nodiscard]] bool scratch_is_free() {
    const bool free = !loop_->borrow_scratch().empty();
    if (free) loop_->return_scratch();
    return free;
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  std::unique_ptr<Loop> loop_ = *Loop::create(clock_, syscalls_);
};

TEST_F(InputBufferTest, WhatIsConsumedWithinAStepNeedsNoBlock) {
  InputBuffer input{*loop_};
  EXPECT_EQ(receive(input, "GET / HTTP/1.1\r\n\r\n", Borrow::kYes), 18U);
  EXPECT_FALSE(scratch_is_free());
  input.consume(18);
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(receive(input, "more", Borrow::kYes), 4U);
  input.consume(4);
  EXPECT_TRUE(input.settle());
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
  EXPECT_TRUE(scratch_is_free());
}

TEST_F(InputBufferTest, AStepThatConsumesNothingLeavesNothingBehind) {
  InputBuffer input{*loop_};
  EXPECT_FALSE(input.room(Borrow::kYes).empty());
  EXPECT_TRUE(input.settle());
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

TEST_F(InputBufferTest, WhatAStepLeavesIsKeptInABlock) {
  InputBuffer input{*loop_};
  receive(input, "GET / HTTP", Borrow::kYes);
  EXPECT_TRUE(input.settle());
  EXPECT_TRUE(scratch_is_free());
  EXPECT_EQ(loop_->blocks().outstanding(), 1U);
  receive(input, "/1.1", Borrow::kYes);
  EXPECT_EQ(unread(input), "GET / HTTP/1.1");
  EXPECT_TRUE(scratch_is_free());  // The block had room.
}

TEST_F(InputBufferTest, TheSharedBufferGoesBackWithoutBeingAsked) {
  {
    InputBuffer input{*loop_};
    receive(input, "abc", Borrow::kYes);
  }
  EXPECT_TRUE(scratch_is_free());
}

TEST_F(InputBufferTest, OneThatIsLentElsewhereIsDoneWithout) {
  InputBuffer first{*loop_};
  InputBuffer second{*loop_};
  receive(first, "abc", Borrow::kYes);
  receive(second, "xyz", Borrow::kYes);
  EXPECT_EQ(unread(first), "abc");
  EXPECT_EQ(unread(second), "xyz");
  EXPECT_TRUE(second.settle());
  EXPECT_FALSE(scratch_is_free());
}

// Every size of what comes, is consumed and is left between two steps, so that the bytes move
// between the shared buffer and blocks in every way; what is unread is always what came.
TEST_F(InputBufferTest, BytesKeepTheirOrderWhateverMovesThem) {
  std::string sent;
  for (std::size_t i = 0; i < 300'000; ++i) sent += static_cast<char>('a' + (i * i + i / 251) % 26);
  for (const std::size_t received_each : {1UL, 700UL, 5'000UL, 40'000UL, 70'000UL}) {
    for (const std::size_t consumed_each : {0UL, 1UL, 699UL, 20'000UL}) {
      for (const std::size_t settled_every : {1UL, 3UL}) {
        InputBuffer input{*loop_};
        std::size_t received = 0;
        std::size_t consumed = 0;
        for (std::size_t step = 1; received < sent.size() && step < 400; ++step) {
          const std::string_view rest = std::string_view{sent}.substr(received, received_each);
          const std::size_t taken = receive(input, rest, Borrow{step % 2 == 0});
          ASSERT_GT(taken, 0U);
          received += taken;
          const std::size_t done = std::min(consumed_each, input.unread().size());
          input.consume(done);
          consumed += done;
          if (step % settled_every == 0) {
            ASSERT_TRUE(input.settle());
          }
          const std::string_view want{sent.data() + consumed, received - consumed};
          ASSERT_TRUE(std::ranges::equal(input.unread(), want));
        }
      }
    }
  }
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

TEST_F(InputBufferTest, WithoutMemoryThereIsNoRoom) {
  InputBuffer input{*loop_};
  const test::AllocationFailure failure{1};
  EXPECT_TRUE(input.room(Borrow::kNo).empty());
  EXPECT_TRUE(failure.happened());
  EXPECT_TRUE(input.empty());
}

TEST_F(InputBufferTest, WhatCannotBeKeptIsSaidToBeLost) {
  InputBuffer input{*loop_};
  receive(input, "abc", Borrow::kYes);
  const test::AllocationFailure failure{1};
  EXPECT_FALSE(input.settle());
  EXPECT_TRUE(input.empty());
  EXPECT_TRUE(scratch_is_free());
}

}  // namespace
}  // namespace tercel::net
