#include "tests/actors/core/quota_support.hpp"

#include <string>

namespace troupe {
namespace {

constexpr limit rpm(std::uint64_t amount) {
  return {"m", limit_kind::rpm, amount};
}

TEST(quota_learn, what_the_upstream_told_is_enforced) {
  ledger_on_disk l({});
  EXPECT_TRUE(l.ledger.learn(rpm(2), limit_source::told, after(0s)));
  EXPECT_FALSE(l.ledger.unlimited());
  EXPECT_TRUE(l.ledger.should_write());
  EXPECT_EQ(l.granted(0s), 2);
  EXPECT_EQ(l.ledger.uses(after(0s)).at(0).limit.source, limit_source::told);
}

TEST(quota_learn, estimates_are_shown_and_never_enforced) {
  ledger_on_disk l({});
  EXPECT_TRUE(l.ledger.learn(rpm(2), limit_source::estimated, after(0s)));
  EXPECT_TRUE(l.ledger.unlimited());
  EXPECT_FALSE(l.ledger.should_write());
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(l.admit(0s).granted);
  EXPECT_TRUE(l.ledger.rooms(after(0s)).empty());
  EXPECT_EQ(l.ledger.uses(after(0s)).at(0).limit, (quota_limit{rpm(2), limit_source::estimated}));
}

TEST(quota_learn, what_is_declared_stands) {
  ledger_on_disk l({rpm(5)});
  EXPECT_FALSE(l.ledger.learn(rpm(2), limit_source::told, after(0s)));
  EXPECT_FALSE(l.ledger.learn(rpm(2), limit_source::estimated, after(0s)));
  EXPECT_EQ(l.granted(0s), 5);
}

TEST(quota_learn, what_is_declared_later_replaces_what_was_learnt) {
  ledger_on_disk l({});
  l.ledger.learn(rpm(2), limit_source::told, after(0s));
  l.ledger.declare({rpm(3)}, after(0s));
  EXPECT_EQ(l.granted(0s), 3);
  EXPECT_EQ(l.ledger.uses(after(0s)).size(), 1U);
}

TEST(quota_learn, the_upstreams_word_replaces_an_estimate_and_never_the_reverse) {
  quota_ledger ledger;
  EXPECT_TRUE(ledger.learn(rpm(2), limit_source::estimated, after(0s)));
  EXPECT_TRUE(ledger.learn(rpm(1), limit_source::told, after(0s)));
  EXPECT_FALSE(ledger.learn(rpm(9), limit_source::estimated, after(0s)));
  EXPECT_EQ(ledger.uses(after(0s)).at(0).limit, (quota_limit{rpm(1), limit_source::told}));
}

TEST(quota_learn, what_is_told_anew_replaces_what_was_told) {
  quota_ledger ledger;
  EXPECT_TRUE(ledger.learn(rpm(2), limit_source::told, after(0s)));
  EXPECT_FALSE(ledger.learn(rpm(2), limit_source::told, after(1h)));
  EXPECT_TRUE(ledger.learn(rpm(1), limit_source::told, after(2h)));
}

TEST(quota_learn, an_estimate_only_grows) {
  quota_ledger ledger;
  EXPECT_TRUE(ledger.learn(rpm(5), limit_source::estimated, after(0s)));
  EXPECT_FALSE(ledger.learn(rpm(4), limit_source::estimated, after(1s)));
  EXPECT_TRUE(ledger.learn(rpm(6), limit_source::estimated, after(2s)));
  EXPECT_EQ(ledger.uses(after(3s)).at(0).limit.what.amount, 6U);
}

TEST(quota_learn, what_was_learnt_is_forgotten_after_a_day) {
  ledger_on_disk l({});
  l.ledger.learn(rpm(1), limit_source::told, after(0s));
  l.ledger.learn(rpm(1), limit_source::told, after(2h)); // confirmed
  EXPECT_EQ(l.granted(26h - 1s), 1);
  EXPECT_EQ(l.ledger.uses(after(26h)).size(), 0U);
  EXPECT_TRUE(l.ledger.unlimited());
  EXPECT_TRUE(l.admit(26h).granted);
}

TEST(quota_learn, what_is_limited_by_a_forgotten_limit_alone_is_free) {
  ledger_on_disk l({});
  l.ledger.learn(rpm(1), limit_source::told, after(0s));
  EXPECT_EQ(l.granted(24h - 1s), 1);
  EXPECT_TRUE(l.admit(24h).granted);
}

TEST(quota_learn, the_oldest_of_too_many_goes) {
  quota_ledger ledger;
  for (int i = 0; i < 70; ++i)
    EXPECT_TRUE(ledger.learn({"m" + std::to_string(i), limit_kind::rpm, 1}, limit_source::told,
                             after(i * 1s)));
  const auto uses = ledger.uses(after(70s));
  EXPECT_EQ(uses.size(), 64U);
  for (const auto& use : uses)
    EXPECT_NE(use.limit.what.model, "m5");
}

TEST(quota_learn, nothing_is_learnt_from_nonsense) {
  quota_ledger ledger;
  EXPECT_FALSE(ledger.learn(rpm(0), limit_source::told, after(0s)));
  EXPECT_FALSE(ledger.learn(rpm(1), limit_source::declared, after(0s)));
  ledger.change_policy({.told_max = 0, .days = {}});
  EXPECT_FALSE(ledger.learn(rpm(1), limit_source::told, after(0s)));
  EXPECT_TRUE(ledger.uses(after(0s)).empty());
}

} // namespace
} // namespace troupe
