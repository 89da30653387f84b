#include "actors/core/resource_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

namespace troupe {
namespace {

resource_owner until(std::int64_t end_ms, std::uint64_t key = 1) {
  return {.key = key, .credential = 1, .expires_at_ms = end_ms};
}

TEST(resource_table, knows_what_was_put_and_nothing_else) {
  resource_table t(10);
  EXPECT_EQ(t.find("files/a"), nullptr);
  EXPECT_EQ(t.put("files/a", until(5, 7)), std::nullopt);
  ASSERT_NE(t.find("files/a"), nullptr);
  EXPECT_EQ(*t.find("files/a"), until(5, 7));
  EXPECT_EQ(t.find("files/"), nullptr);
  EXPECT_EQ(t.find(""), nullptr);
  EXPECT_EQ(t.size(), 1U);
}

TEST(resource_table, a_name_put_again_has_the_new_owner_and_end) {
  resource_table t(10);
  t.put("a", until(5, 7));
  EXPECT_EQ(t.put("a", until(9, 8)), std::nullopt);
  EXPECT_EQ(*t.find("a"), until(9, 8));
  EXPECT_EQ(t.size(), 1U);
  EXPECT_EQ(t.take_expired(8), std::nullopt);
  EXPECT_EQ(t.take_expired(9), "a");
}

TEST(resource_table, beyond_the_bound_the_one_that_expires_first_goes) {
  resource_table t(2);
  t.put("late", until(30));
  t.put("early", until(10));
  EXPECT_EQ(t.put("middle", until(20)), "early");
  EXPECT_EQ(t.find("early"), nullptr);
  EXPECT_EQ(t.put("first of all", until(1)), "first of all");
  EXPECT_EQ(t.find("first of all"), nullptr);
  EXPECT_EQ(t.size(), 2U);
}

TEST(resource_table, expired_ones_are_taken_in_the_order_of_their_ends) {
  resource_table t(10);
  for (const int end : {3, 1, 2})
    t.put(std::to_string(end), until(end));
  EXPECT_EQ(t.take_expired(0), std::nullopt);
  EXPECT_EQ(t.take_expired(2), "1");
  EXPECT_EQ(t.take_expired(2), "2");
  EXPECT_EQ(t.take_expired(2), std::nullopt);
  EXPECT_EQ(t.size(), 1U);
}

TEST(resource_table, what_was_erased_is_gone_once) {
  resource_table t(10);
  EXPECT_FALSE(t.erase("a"));
  t.put("a", until(1));
  EXPECT_TRUE(t.erase("a"));
  EXPECT_FALSE(t.erase("a"));
  EXPECT_EQ(t.find("a"), nullptr);
  EXPECT_EQ(t.take_expired(100), std::nullopt);
}

TEST(resource_table, a_random_walk_says_the_same_as_a_plain_map) {
  std::mt19937 dice(3);
  resource_table t(1'500);
  std::map<std::string, resource_owner> plain;
  // Ends are all different: which of two equal ones goes first is nobody's promise.
  std::int64_t tie = 0;
  const auto first = [&plain] {
    return std::min_element(plain.begin(), plain.end(), [](const auto& a, const auto& b) {
      return a.second.expires_at_ms < b.second.expires_at_ms;
    });
  };
  for (int step = 0; step < 20'000; ++step) {
    const auto name = "files/" + std::to_string(dice() % 4'000);
    if (const auto what = dice() % 10; what < 7) {
      const auto owner = until(static_cast<std::int64_t>(dice() % 1'000) * 100'000 + ++tie, dice());
      const auto gone = t.put(name, owner);
      plain[name] = owner;
      ASSERT_EQ(gone.has_value(), plain.size() > 1'500) << step;
      if (gone) {
        ASSERT_EQ(*gone, first()->first) << step;
        plain.erase(first());
      }
    } else if (what < 9) {
      ASSERT_EQ(t.erase(name), plain.erase(name) == 1) << step;
    } else {
      const auto now = static_cast<std::int64_t>(dice() % 20) * 100'000;
      const bool due = !plain.empty() && first()->second.expires_at_ms <= now;
      const auto taken = t.take_expired(now);
      ASSERT_EQ(taken.has_value(), due) << step;
      if (due) {
        ASSERT_EQ(*taken, first()->first) << step;
        plain.erase(first());
      }
    }
    ASSERT_EQ(t.size(), plain.size()) << step;
  }
  for (const auto& [name, owner] : plain) {
    ASSERT_NE(t.find(name), nullptr) << name;
    EXPECT_EQ(*t.find(name), owner) << name;
  }
}

} // namespace
} // namespace troupe
