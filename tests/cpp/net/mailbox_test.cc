#include "tercel/net/mailbox.h"

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"

namespace tercel::net {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Call;
using test::FailingSyscalls;

struct Letter : MailNode {
  explicit Letter(int initial_number = 0, int initial_sender = 0) noexcept
      : number{initial_number}, sender{initial_sender} {}
  int number;
  int sender;
};

struct TestReader final : Mailbox<Letter>::Reader {
  void on_mail(MailBatch<Letter> batch) noexcept override {
    ++batches;
    while (const Letter* letter = batch.pop()) numbers.push_back(letter->number);
  }
  std::vector<int> numbers;
  int batches = 0;
};

class MailboxTest : public testing::Test {
 protected:
  MailboxTest() : loop_{*Loop::create(clock_, syscalls_)} {
    auto created = Mailbox<Letter>::create(*loop_, reader_);
    EXPECT_TRUE(created);
    box_ = *std::move(created);
  }
  void turn() {
    EXPECT_TRUE(loop_->wait(0ns));
    loop_->dispatch();
  }

  test::ManualClock clock_;
  FailingSyscalls syscalls_;
  std::unique_ptr<Loop> loop_;
  TestReader reader_;
  std::unique_ptr<Mailbox<Letter>> box_;
};

TEST_F(MailboxTest, OneBatchAndOneWakeForAllThatCameSinceTheLastOne) {
  Letter one{1}, two{2}, three{3};
  box_->push(one);
  box_->push(two);
  box_->push(three);
  EXPECT_EQ(syscalls_.calls(Call::kWrite), 1);
  turn();
  EXPECT_EQ(reader_.numbers, (std::vector{1, 2, 3}));
  EXPECT_EQ(reader_.batches, 1);
  turn();
  EXPECT_EQ(reader_.batches, 1);
  box_->push(two);  // An object may be sent again once it is out.
  turn();
  EXPECT_EQ(reader_.numbers, (std::vector{1, 2, 3, 2}));
}

TEST_F(MailboxTest, ABatchOfASenderKeepsItsPlace) {
  Letter one{1}, two{2}, three{3}, four{4};
  Outgoing<Letter> outgoing;
  box_->push(outgoing);  // Empty: nobody is woken.
  EXPECT_EQ(syscalls_.calls(Call::kWrite), 0);
  outgoing.add(two);
  outgoing.add(three);
  box_->push(one);
  box_->push(outgoing);
  EXPECT_TRUE(outgoing.empty());
  box_->push(four);
  turn();
  EXPECT_EQ(reader_.numbers, (std::vector{1, 2, 3, 4}));
}

TEST_F(MailboxTest, TheReaderMayTakeBeforeItIsWoken) {
  Letter one{1};
  box_->push(one);
  auto batch = box_->take_all();
  EXPECT_EQ(batch.pop(), &one);
  EXPECT_EQ(batch.pop(), nullptr);
  turn();
  EXPECT_EQ(reader_.batches, 0);
}

TEST_F(MailboxTest, ABatchMayBePutBehindOneThatWasNotReadToItsEnd) {
  Letter one{1}, two{2}, three{3}, four{4};
  MailBatch<Letter> waiting;
  waiting.append(box_->take_all());
  EXPECT_TRUE(waiting.empty());
  box_->push(one);
  box_->push(two);
  waiting.append(box_->take_all());
  EXPECT_EQ(waiting.pop(), &one);
  waiting.append(box_->take_all());
  box_->push(three);
  box_->push(four);
  waiting.append(box_->take_all());
  for (Letter* next : {&two, &three, &four}) EXPECT_EQ(waiting.pop(), next);
  EXPECT_EQ(waiting.pop(), nullptr);
  box_->push(one);
  waiting.append(box_->take_all());  // Emptied and used again.
  EXPECT_EQ(waiting.pop(), &one);
}

TEST_F(MailboxTest, WhatIsSentWhileABatchIsReadComesInTheNextTurn) {
  struct Replying final : Mailbox<Letter>::Reader {
    void on_mail(MailBatch<Letter> batch) noexcept override {
      while (Letter* letter = batch.pop()) {
        if (++letter->number < 3) box->push(*letter);
      }
    }
    Mailbox<Letter>* box = nullptr;
  } reader;
  const auto box = *Mailbox<Letter>::create(*loop_, reader);
  reader.box = box.get();
  Letter letter{0};
  box->push(letter);
  for (int expected = 1; expected <= 3; ++expected) {
    turn();
    EXPECT_EQ(letter.number, expected);
  }
}

TEST_F(MailboxTest, EveryFailureToOpenIsReportedAndLeaksNoDescriptor) {
  const auto open_before = test::open_descriptors();
  syscalls_.fail(Call::kEventfd, EMFILE);
  EXPECT_EQ(Mailbox<Letter>::create(*loop_, reader_).error(), Errc::kTooManyFiles);
  syscalls_.fail(Call::kEpollCtl, ENOMEM);
  EXPECT_EQ(Mailbox<Letter>::create(*loop_, reader_).error(), Errc::kNoMemory);
  EXPECT_EQ(test::open_descriptors(), open_before);
}

TEST_F(MailboxTest, SendingAndReadingAllocateNothing) {
  Letter one{1}, two{2};
  Outgoing<Letter> outgoing;
  reader_.numbers.reserve(100);
  const test::AllocationCount count;
  for (int i = 0; i < 10; ++i) {
    outgoing.add(one);
    outgoing.add(two);
    box_->push(outgoing);
    turn();
  }
  EXPECT_EQ(count.so_far(), 0U);
}

#ifndef NDEBUG
TEST(MailboxDeathTest, MailThatNobodyTookIsABug) {
  EXPECT_DEATH(
      {
        const test::ManualClock clock;
        TestReader reader;
        auto loop = *Loop::create(clock, system_calls());
        Letter letter;
        auto box = *Mailbox<Letter>::create(*loop, reader);
        box->push(letter);
        box.reset();
      },
      "top_.load");
}
#endif

// Several senders, alone and in batches: nothing is lost or doubled, each sender's order is kept,
// and the reader is never left asleep with mail in the box.
TEST(MailboxThreadsTest, EverythingArrivesOnceAndInEachSendersOrder) {
  constexpr int kSenders = 4;
  constexpr int kLetters = 20'000;
  struct Checking final : Mailbox<Letter>::Reader {
    void on_mail(MailBatch<Letter> batch) noexcept override {
      while (const Letter* letter = batch.pop()) {
        auto& next = expected[static_cast<std::size_t>(letter->sender)];
        EXPECT_EQ(letter->number, next);
        next = letter->number + 1;
        ++total;
      }
    }
    std::array<int, kSenders> expected{};
    int total = 0;
  } reader;

  const SteadyClock clock;
  const auto loop = *Loop::create(clock, system_calls());
  const auto box = *Mailbox<Letter>::create(*loop, reader);
  std::vector<std::deque<Letter>> letters(kSenders);
  std::vector<std::thread> threads;
  for (int sender = 0; sender < kSenders; ++sender) {
    auto& mine = letters[static_cast<std::size_t>(sender)];
    for (int i = 0; i < kLetters; ++i) mine.emplace_back(-1, sender);
    threads.emplace_back([&box, &mine, sender] {
      Outgoing<Letter> outgoing;
      int number = 0;
      for (Letter& letter : mine) {
        letter.number = number++;  // Written by this thread: under TSan it must be handed over.
        if (sender % 2 == 0) {
          box->push(letter);
          if (letter.number % 1000 == 0) std::this_thread::sleep_for(100us);  // Let it fall asleep.
        } else {
          const bool last_of_batch = letter.number % 7 == 0 || letter.number == kLetters - 1;
          outgoing.add(letter);
          if (last_of_batch) box->push(outgoing);
        }
      }
    });
  }
  while (reader.total < kSenders * kLetters) {
    const auto events = loop->wait(10s);
    ASSERT_TRUE(events);
    ASSERT_GT(*events, 0) << "asleep with mail in the box";
    loop->dispatch();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(reader.total, kSenders * kLetters);
}

}  // namespace
}  // namespace tercel::net
