#include "tercel/http/admission.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "support/memory_wire.h"

namespace tercel::http {
namespace {

using test::MemoryWire;

TEST(AdmissionTest, WithoutALimitNobodyWaits) {
  Admission admission;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(admission.try_enter());
  EXPECT_EQ(admission.active(), 1000U);
}

TEST(AdmissionTest, TheQueueIsBoundedAndFirstComeIsFirstServed) {
  Admission admission;
  admission.limit(1, 2);
  std::array<MemoryWire, 3> guests;
  ASSERT_TRUE(admission.try_enter());
  EXPECT_FALSE(admission.try_enter());
  Admission::Ticket* first = admission.wait(guests[0]);
  Admission::Ticket* second = admission.wait(guests[1]);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(admission.wait(guests[2]), nullptr);
  admission.leave();
  EXPECT_TRUE(guests[0].revisit_wanted());
  EXPECT_TRUE(first->admitted());
  EXPECT_FALSE(second->admitted());
  EXPECT_EQ(admission.active(), 1U);  // The place changed hands.
  admission.redeem(first);
  admission.leave();
  EXPECT_TRUE(guests[1].revisit_wanted());
  admission.redeem(second);
  admission.leave();
  EXPECT_EQ(admission.active(), 0U);
}

TEST(AdmissionTest, NobodyPassesThoseWhoWait) {
  Admission admission;
  admission.limit(2, 2);
  MemoryWire guest;
  ASSERT_TRUE(admission.try_enter());
  ASSERT_TRUE(admission.try_enter());
  Admission::Ticket* ticket = admission.wait(guest);
  admission.leave();  // Taken in the guest's name.
  EXPECT_FALSE(admission.try_enter());
  admission.redeem(ticket);
  admission.leave();
  EXPECT_TRUE(admission.try_enter());
  admission.leave();
  admission.leave();
}

TEST(AdmissionTest, WhoGoesAwayLosesNothingForTheOthers) {
  Admission admission;
  admission.limit(1, 3);
  std::array<MemoryWire, 3> guests;
  ASSERT_TRUE(admission.try_enter());
  std::vector<Admission::Ticket*> tickets;
  for (MemoryWire& guest : guests) tickets.push_back(admission.wait(guest));
  admission.abandon(tickets[1]);  // Out of the middle of the queue.
  admission.leave();
  EXPECT_TRUE(guests[0].revisit_wanted());
  admission.abandon(tickets[0]);  // With the place: it goes to the next.
  EXPECT_TRUE(guests[2].revisit_wanted());
  EXPECT_FALSE(guests[1].revisit_wanted());
  admission.redeem(tickets[2]);
  admission.leave();
  EXPECT_EQ(admission.active(), 0U);
  EXPECT_EQ(admission.waiting(), 0U);
}

}  // namespace
}  // namespace tercel::http
