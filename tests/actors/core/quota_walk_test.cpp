#include "tests/actors/core/quota_judge.hpp"

#include <random>

// Thousands of calls at random, judged where they arrive. A ledger that survives every crash,
// one that crashes, and one that is compared with a plain list of calls.

namespace troupe {
namespace {

constexpr duration margin = 250ms;

struct walk_options {
  std::uint64_t seed = 0;
  std::vector<limit> limits;
  int steps = 6'000;
  duration pause_max = 3s;
  int crash_one_in = 0; ///< 0: never
  bool late = true;
};

/// One client of a ledger, with a world around it.
class quota_walk {
public:
  explicit quota_walk(walk_options options)
      : options_(std::move(options)), dice_(options_.seed), policy_{.margin = margin, .days = {}} {
    begin_anew();
  }

  void run() {
    for (int i = 0; i < options_.steps && !testing::Test::HasFatalFailure(); ++i)
      step();
    for (auto& c : open_)
      leave_and_produce(c);
    for (const auto& l : options_.limits)
      judge.expect_within(l);
  }

  quota_judge judge;
  int refused_by_minutes = 0;
  int refused_by_days = 0;

private:
  struct call {
    std::uint64_t ticket = 0;
    std::string model;
    duration granted{};
    quota_tokens reserved;
    quota_tokens actual;
    std::optional<duration> leaves; ///< late; empty: when granted
    bool left = false;
    duration arrives{};
    duration ends{};
  };

  std::uint64_t below(std::uint64_t end) { return dice_() % end; }
  duration upto(duration d) {
    return duration{static_cast<duration::rep>(dice_() % (d.count() + 1))};
  }

  void begin_anew() {
    ledger_ = quota_ledger{policy_};
    // Both orders are allowed.
    const bool first = below(2) == 0;
    if (first)
      ledger_.declare(options_.limits, after(now_));
    if (disk_)
      ledger_.restore(*disk_, after(now_));
    if (!first)
      ledger_.declare(options_.limits, after(now_));
  }

  void leave_and_produce(call& c) {
    if (!c.left)
      leave(c, c.granted);
    const auto at = std::min(c.arrives + upto(c.ends - c.arrives), c.ends);
    judge.produced(at, c.model, c.actual.output);
    judge.stayed({c.arrives, c.ends, c.model});
  }

  void leave(call& c, duration at) {
    c.left = true;
    c.arrives = at + upto(margin);
    c.ends = std::max(c.ends, c.arrives);
    judge.arrived(c.arrives, c.model, c.actual.input);
  }

  /// What happens to open calls until `now_`, in order.
  void catch_up(duration until) {
    for (;;) {
      call* next = nullptr;
      const auto due = [](const call& c) { return c.left ? c.ends : *c.leaves; };
      for (auto& c : open_)
        if (due(c) <= until && (!next || due(c) < due(*next)))
          next = &c;
      if (!next)
        return;
      const auto at = due(*next);
      if (!next->left) {
        ledger_.sent_late(next->ticket, after(at));
        leave(*next, at);
        continue;
      }
      leave_and_produce(*next);
      const bool reported = next->actual != next->reserved || below(2) == 0;
      ledger_.end(next->ticket,
                  {.reported = reported,
                   .input_tokens = next->actual.input,
                   .output_tokens = next->actual.output},
                  after(at));
      open_.erase(open_.begin() + (next - open_.data()));
    }
  }

  void crash() {
    for (auto& c : open_)
      if (c.left) { // it goes on at the upstream until the connection breaks
        c.ends = std::clamp(now_, c.arrives, std::max(c.ends, c.arrives));
        leave_and_produce(c);
      }
    open_.clear();
    now_ += upto(5s) + margin;
    begin_anew();
  }

  void write() {
    auto r = ledger_.record(after(now_));
    if (below(4) != 0) {
      disk_ = r;
      ledger_.allow(r);
    } else if (below(2) == 0) {
      disk_ = r; // on disk, but nobody heard of it
    }
  }

  void expect_granted_when_told(const quota_call& asked, const quota_verdict& v) {
    if (v.free_at == quota_ledger::never || (v.per_day && ledger_.in_flight() > 0))
      return;
    const auto admit = [&](time_point at) {
      auto copy = ledger_;
      const auto t = after(at - quota_t0);
      copy.allow(copy.record(t));
      const auto got = copy.admit(asked, t);
      if (!got.must_write)
        return got.granted;
      copy.allow(copy.record(t));
      return copy.admit(asked, t).granted;
    };
    ASSERT_GT(v.free_at, quota_t0 + now_);
    const auto same_day = [&](time_point at) {
      return days_of(policy_.days, after(at - quota_t0).wall, margin)
             == days_of(policy_.days, after(now_).wall, margin);
    };
    if (ledger_.in_flight() == 0 || same_day(v.free_at)) {
      ASSERT_TRUE(admit(v.free_at)) << to_string(v.why);
    }
    // The wall clock has whole milliseconds.
    ASSERT_FALSE(admit(v.free_at - (v.per_day ? 1ms : 1ns))) << to_string(v.why);
  }

  void step() {
    now_ += below(3) == 0 ? duration{} : upto(options_.pause_max);
    catch_up(now_);
    if (options_.crash_one_in != 0 && below(static_cast<std::uint64_t>(options_.crash_one_in)) == 0)
      crash();
    if (ledger_.should_write())
      write();
    call c;
    c.model = below(2) == 0 ? "a" : "b";
    c.granted = now_;
    c.reserved = {below(300), below(600)};
    c.actual = below(4) == 0
                   ? c.reserved
                   : quota_tokens{below(c.reserved.input + 1), below(c.reserved.output + 1)};
    const quota_call asked{c.model, c.reserved.input, c.reserved.output};
    const auto v = ledger_.admit(asked, after(now_));
    if (v.must_write)
      return write();
    if (!v.granted)
      return refused(asked, v);
    c.ticket = v.ticket;
    if (below(20) == 0) {
      ledger_.end(v.ticket, {.sent = false}, after(now_));
      return;
    }
    const bool late = options_.late && below(4) == 0;
    const auto lasts = below(10) == 0 ? upto(5min) : upto(4s);
    if (late)
      c.leaves = now_ + upto(20s);
    c.ends = c.leaves.value_or(now_) + lasts;
    if (!late)
      leave(c, now_);
    open_.push_back(std::move(c));
  }

  void refused(const quota_call& asked, const quota_verdict& v) {
    ++(v.per_day ? refused_by_days : refused_by_minutes);
    expect_granted_when_told(asked, v);
    if (v.per_day && v.free_at - quota_t0 > now_ + 1min) // nothing happens until just before
      now_ = v.free_at - quota_t0 - upto(20s);
  }

  walk_options options_;
  std::mt19937_64 dice_;
  quota_policy policy_;
  quota_ledger ledger_;
  std::optional<quota_record> disk_;
  std::vector<call> open_;
  duration now_{};
};

std::vector<limit> all_kinds() {
  return {{"", limit_kind::rpm, 12},           {"a", limit_kind::rpm, 8},
          {"", limit_kind::rpd, 150},          {"b", limit_kind::rpd, 90},
          {"a", limit_kind::tpm, 3'000},       {"b", limit_kind::input_tpm, 1'000},
          {"", limit_kind::output_tpm, 3'500}, {"a", limit_kind::tpd, 40'000},
          {"", limit_kind::concurrency, 5}};
}

TEST(quota_walk, no_minute_and_no_day_ever_exceeds_a_limit) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    quota_walk walk({.seed = seed, .limits = all_kinds()});
    walk.run();
    EXPECT_GT(walk.judge.calls(), 700U);
    EXPECT_GT(walk.refused_by_minutes, 500);
    EXPECT_GT(walk.refused_by_days, 10);
    if (HasFailure())
      return;
  }
}

TEST(quota_walk, limits_by_themselves_are_kept_too) {
  std::uint64_t seed = 100;
  for (const auto& l : all_kinds()) {
    SCOPED_TRACE(to_string(l.kind));
    quota_walk walk({.seed = ++seed, .limits = {l}, .steps = 3'000});
    walk.run();
    EXPECT_GT(walk.judge.calls(), 100U);
    if (HasFailure())
      return;
  }
}

TEST(quota_walk, no_crash_makes_anything_exceed_a_limit) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    quota_walk walk({.seed = seed, .limits = all_kinds(), .crash_one_in = 25});
    walk.run();
    EXPECT_GT(walk.judge.calls(), 300U);
    if (HasFailure())
      return;
  }
}

TEST(quota_walk, crashes_while_a_log_is_folded_and_rounded_keep_the_limit) {
  quota_walk walk(
      {.seed = 5,
       .limits = {{"", limit_kind::rpm, 3'000}, {"", limit_kind::output_tpm, 2'000'000}},
       .steps = 20'000,
       .pause_max = 20ms,
       .crash_one_in = 2'000});
  walk.run();
  EXPECT_GT(walk.judge.calls(), 6'000U);
}

TEST(quota_walk, grants_exactly_what_a_plain_list_of_calls_would) {
  std::mt19937_64 dice(3);
  constexpr std::uint64_t calls_max = 10;
  constexpr std::uint64_t tokens_max = 1'000;
  struct call {
    std::uint64_t ticket = 0;
    duration at{};
    quota_tokens tokens;
    std::optional<duration> ended;
  };
  std::vector<call> plain;
  ledger_on_disk l({{"", limit_kind::rpm, calls_max}, {"", limit_kind::tpm, tokens_max}});
  duration now{};
  int granted = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds{dice() % 5'000};
    if (!plain.empty() && dice() % 2 == 0)
      if (auto& c = plain[dice() % plain.size()]; !c.ended) {
        c.tokens = {dice() % 200, dice() % 200}; // the reservation is exceeded now and then
        l.ledger.end(
            c.ticket,
            {.reported = true, .input_tokens = c.tokens.input, .output_tokens = c.tokens.output},
            after(now));
        c.ended = now;
      }
    std::uint64_t calls = 0;
    std::uint64_t tokens = 0;
    for (const auto& c : plain) {
      const bool there = c.at + 60s + margin > now;
      calls += there ? 1 : 0;
      tokens += there ? c.tokens.input : 0;
      tokens += !c.ended || *c.ended + 60s + margin > now ? c.tokens.output : 0;
    }
    const quota_tokens asked{dice() % 150, dice() % 150};
    const bool fits = calls < calls_max && tokens + asked.input + asked.output <= tokens_max;
    const auto v = l.admit(now, "m", asked.input, asked.output);
    ASSERT_EQ(v.granted, fits) << i;
    if (!fits)
      continue;
    ++granted;
    plain.push_back({v.ticket, now, asked, {}});
    std::erase_if(plain, [&](const call& c) { return c.ended && *c.ended + 2min < now; });
  }
  EXPECT_GT(granted, 3'000);
}

TEST(quota_walk, wall_clocks_that_jump_change_no_minute) {
  std::mt19937_64 dice(9);
  quota_judge judge;
  const limit l{"", limit_kind::rpm, 5};
  ledger_on_disk subject({l, {"", limit_kind::rpd, 1'000'000}});
  duration now{};
  auto skew = 0ms;
  for (int i = 0; i < 5'000; ++i) {
    now += std::chrono::milliseconds{dice() % 10'000};
    if (dice() % 10 == 0)
      skew =
          std::chrono::milliseconds{static_cast<std::int64_t>(dice() % 400'000'000) - 200'000'000};
    auto t = after(now);
    t.wall += skew;
    subject.ledger.allow(subject.ledger.record(t));
    const auto v = subject.ledger.admit({"m"}, t);
    if (!v.granted)
      continue;
    judge.arrived(now + std::chrono::milliseconds{dice() % 250}, "m", 0);
    subject.ledger.end(v.ticket, {}, t);
  }
  EXPECT_GT(judge.calls(), 1'500U);
  judge.expect_within(l);
}

} // namespace
} // namespace troupe
