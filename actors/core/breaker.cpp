#include "actors/core/breaker.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr double share_min = 0.1; ///< of the calls, when a slow start begins
constexpr duration retry_min = std::chrono::milliseconds{1};

duration part_of(duration d, double part) {
  const auto product = std::chrono::duration<double, std::nano>(d) * part;
  return std::chrono::duration_cast<duration>(product);
}

std::string text_of(duration d) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  return ms % 1'000 == 0 ? std::to_string(ms / 1'000) + " s" : std::to_string(ms) + " ms";
}

} // namespace

std::string_view to_string(breaker_state s) {
  switch (s) {
  case breaker_state::closed:
    return "closed";
  case breaker_state::open:
    return "open";
  case breaker_state::half_open:
    return "half_open";
  }
  return "unknown";
}

void breaker::change_policy(const breaker_policy& policy) {
  if (policy.window != policy_.window)
    window_ = {}; // its buckets are tenths of the old one
  policy_ = policy;
}

breaker_pass breaker::allow(time_point now, double jitter) {
  switch (state_) {
  case breaker_state::closed:
    return allow_closed(now, jitter);
  case breaker_state::open:
    if (now < open_until_)
      return {.retry_in = open_until_ - now};
    enter(breaker_state::half_open, now);
    return allow_probe(now);
  case breaker_state::half_open:
    return allow_probe(now);
  }
  return {};
}

void breaker::note(std::uint32_t generation, breaker_outcome what, time_point now, double jitter) {
  if (generation != generation_)
    return;
  switch (state_) {
  case breaker_state::open:
    return; // no call has begun in it
  case breaker_state::half_open:
    note_probe(what, now, jitter);
    return;
  case breaker_state::closed:
    if (what == breaker_outcome::neutral)
      return;
    count(what == breaker_outcome::failed, now);
    if (what == breaker_outcome::failed && must_open(now))
      open(now, jitter);
    return;
  }
}

breaker_description breaker::describe(time_point now) const {
  const auto seen = within_window(now);
  breaker_description d{.state = state_,
                        .since = since_,
                        .why = {},
                        .calls = seen.calls,
                        .failures = seen.failures,
                        .retry_in = {}};
  switch (state_) {
  case breaker_state::closed:
    if (const auto part = share(now); part < 1)
      d.why = "slow start: " + std::to_string(static_cast<int>(part * 100))
              + " % of the calls are let through";
    break;
  case breaker_state::open:
    d.why = why_;
    d.retry_in = std::max(open_until_ - now, duration{0});
    break;
  case breaker_state::half_open:
    d.why = why_ + "; probes: " + std::to_string(probes_out_) + " under way, "
            + std::to_string(probes_ok_) + " of " + std::to_string(probes_max()) + " succeeded";
    break;
  }
  return d;
}

std::int64_t breaker::span_of(time_point now) const {
  const auto span = std::max<duration>(policy_.window / buckets, duration{1});
  return now.time_since_epoch() / span;
}

breaker::tally breaker::within_window(time_point now) const {
  const auto current = span_of(now);
  tally all;
  for (const auto& b : window_)
    if (b.span <= current && b.span > current - static_cast<std::int64_t>(buckets)) {
      all.calls += b.calls;
      all.failures += b.failures;
    }
  return all;
}

void breaker::count(bool failed, time_point now) {
  const auto span = span_of(now);
  auto& b = window_.at(static_cast<std::uint64_t>(span) % buckets);
  if (b.span != span)
    b = {.span = span};
  ++b.calls;
  b.failures += failed ? 1 : 0;
  failed_in_a_row_ = failed ? failed_in_a_row_ + 1 : 0;
}

bool breaker::must_open(time_point now) {
  const auto seen = within_window(now);
  if (failed_in_a_row_ >= policy_.calls_min) {
    why_ = "the last " + std::to_string(failed_in_a_row_) + " calls failed";
    return true;
  }
  if (seen.calls < policy_.calls_min
      || std::uint64_t{seen.failures} * 100
             < std::uint64_t{seen.calls} * std::uint64_t{policy_.failures_percent})
    return false;
  why_ = std::to_string(seen.failures) + " of " + std::to_string(seen.calls) + " calls within "
         + text_of(policy_.window) + " failed";
  return true;
}

void breaker::enter(breaker_state s, time_point now) {
  state_ = s;
  since_ = now;
  ++generation_;
  probes_out_ = 0;
  probes_ok_ = 0;
  failed_in_a_row_ = 0;
}

void breaker::open(time_point now, double jitter) {
  if (state_ == breaker_state::closed && now >= slow_until_)
    opened_ = 0;
  ++opened_;
  auto pause = policy_.open_min;
  for (std::uint32_t i = 1; i < opened_ && pause < policy_.open_max; ++i)
    pause *= 2;
  open_until_ = now + part_of(std::min(pause, policy_.open_max), 0.75 + 0.5 * jitter);
  enter(breaker_state::open, now);
}

void breaker::close(time_point now) {
  enter(breaker_state::closed, now);
  window_ = {};
  slow_until_ = now + policy_.slow_start;
}

double breaker::share(time_point now) const {
  if (now >= slow_until_ || policy_.slow_start <= duration{0})
    return 1;
  using real = std::chrono::duration<double>;
  const auto left = real(slow_until_ - now) / real(policy_.slow_start);
  return std::clamp(1 - (1 - share_min) * left, share_min, 1.0);
}

breaker_pass breaker::allow_closed(time_point now, double jitter) const {
  const auto part = share(now);
  if (jitter < part)
    return {.allowed = true, .generation = generation_};
  const auto until_then = part_of(policy_.slow_start, (jitter - part) / (1 - share_min));
  return {.retry_in = std::max(until_then, retry_min)};
}

breaker_pass breaker::allow_probe(time_point now) {
  if (probes_out_ >= probes_max()) {
    if (now - probed_at_ < policy_.open_max)
      return {.retry_in = std::max(policy_.open_min, retry_min)};
    probes_out_ = 0; // their results are lost
  }
  ++probes_out_;
  probed_at_ = now;
  return {.allowed = true, .generation = generation_};
}

void breaker::note_probe(breaker_outcome what, time_point now, double jitter) {
  probes_out_ -= probes_out_ > 0 ? 1 : 0;
  switch (what) {
  case breaker_outcome::neutral:
    return;
  case breaker_outcome::failed:
    why_ = "a probe failed";
    open(now, jitter);
    return;
  case breaker_outcome::ok:
    if (++probes_ok_ >= probes_max())
      close(now);
    return;
  }
}

} // namespace troupe
