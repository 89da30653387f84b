#include "actors/core/slot_set.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace troupe {
namespace {

TEST(slot_set, finds_what_a_plain_set_finds_through_any_changes) {
  std::mt19937 random(7);
  for (const std::uint32_t capacity : {1U, 63U, 64U, 65U, 4'096U, 4'097U, 10'000U}) {
    slot_set subject(capacity);
    std::set<std::uint32_t> plain;
    for (int i = 0; i < 4'000; ++i) {
      const auto slot = static_cast<std::uint32_t>(random() % capacity);
      const bool member = random() % 3 == 0;
      subject.assign(slot, member);
      member ? (void)plain.insert(slot) : (void)plain.erase(slot);
      const auto from = static_cast<std::uint32_t>(random() % capacity);
      const auto expected = plain.lower_bound(from);
      std::uint32_t steps = 0;
      const auto found = subject.next(from, steps);
      ASSERT_EQ(found.has_value(), expected != plain.end());
      if (found) {
        ASSERT_EQ(*found, *expected);
      }
      ASSERT_LE(steps, 7U);
      ASSERT_EQ(subject.size(), plain.size());
      ASSERT_EQ(subject.empty(), plain.empty());
    }
  }
}

TEST(slot_set, keeps_its_members_while_it_grows) {
  slot_set subject;
  std::uint32_t steps = 0;
  EXPECT_FALSE(subject.next(0, steps));
  for (std::uint32_t i = 0; i < 9'000; ++i) {
    subject.grow(i + 1);
    if (i % 1'000 == 0)
      subject.assign(i, true);
  }
  EXPECT_EQ(subject.size(), 9U);
  EXPECT_EQ(subject.next(0, steps), 0U);
  EXPECT_EQ(subject.next(1, steps), 1'000U);
  EXPECT_EQ(subject.next(7'001, steps), 8'000U);
  EXPECT_FALSE(subject.next(8'001, steps));
  EXPECT_FALSE(subject.contains(20'000));
}

} // namespace
} // namespace troupe
