#include "actors/core/recheck.hpp"

#include <algorithm>

namespace troupe {
namespace {

duration spread(duration d, double jitter) {
  const auto wide = std::chrono::duration<double, std::nano>(d) * (0.75 + 0.5 * jitter);
  return std::chrono::duration_cast<duration>(wide);
}

} // namespace

bool may_recheck(key_reason why) {
  switch (why) {
  case key_reason::invalid:
  case key_reason::forbidden:
    return true;
  case key_reason::none:
  case key_reason::quota_minute:
  case key_reason::quota_day:
  case key_reason::quota_unknown:
  case key_reason::not_offered:
  case key_reason::suspended:
  case key_reason::by_operator:
    return false;
  }
  return false;
}

void recheck::change_policy(const recheck_policy& policy) {
  policy_ = policy;
  if (policy_.min > duration{0})
    return;
  plans_.clear();
  order_.clear();
}

void recheck::disabled(std::uint64_t key, key_reason why, time_point now, double jitter) {
  add(key, why, now + spread(policy_.min, jitter));
}

void recheck::found_disabled(std::uint64_t key, key_reason why, time_point now, double jitter) {
  const auto part = std::chrono::duration<double, std::nano>(policy_.min) * jitter;
  add(key, why, now + std::chrono::duration_cast<duration>(part));
}

void recheck::forget(std::uint64_t key) {
  const auto at = plans_.find(key);
  if (at == plans_.end())
    return;
  order_.erase({at->second.at, key});
  plans_.erase(at);
}

std::vector<std::uint64_t> recheck::due(time_point now) {
  std::vector<std::uint64_t> keys;
  while (!order_.empty() && order_.begin()->first <= now) {
    const auto key = order_.begin()->second;
    auto& p = plans_.at(key);
    if (p.running) {
      fail(key, p, now, 0.5); // nobody is there to draw a jitter; lost checks are rare
      continue;
    }
    if (now < paced_ - slack())
      break;
    paced_ = std::max(paced_, now) + spacing();
    p.running = true;
    move(key, p, now + running_max);
    keys.push_back(key);
  }
  return keys;
}

void recheck::ended(std::uint64_t key, bool ok, time_point now, double jitter) {
  const auto at = plans_.find(key);
  if (at == plans_.end() || !at->second.running)
    return;
  if (ok)
    forget(key);
  else
    fail(key, at->second, now, jitter);
}

std::optional<time_point> recheck::next_at() const {
  if (order_.empty())
    return std::nullopt;
  const auto [at, key] = *order_.begin();
  return plans_.at(key).running ? at : std::max(at, paced_ - slack());
}

std::optional<recheck::plan> recheck::when(std::uint64_t key) const {
  const auto at = plans_.find(key);
  return at == plans_.end() ? std::nullopt : std::optional{at->second};
}

void recheck::add(std::uint64_t key, key_reason why, time_point at) {
  if (!may_recheck(why)) {
    forget(key);
    return;
  }
  if (policy_.min <= duration{0})
    return;
  if (plans_.try_emplace(key, plan{.at = at}).second)
    order_.emplace(at, key);
}

void recheck::move(std::uint64_t key, plan& p, time_point at) {
  order_.erase({p.at, key});
  p.at = at;
  order_.emplace(at, key);
}

void recheck::fail(std::uint64_t key, plan& p, time_point now, double jitter) {
  ++p.failed;
  p.running = false;
  auto interval = policy_.min;
  for (std::uint32_t i = 0; i < p.failed && interval < policy_.max; ++i)
    interval *= 2;
  move(key, p, now + spread(std::min(interval, policy_.max), jitter));
}

duration recheck::spacing() const {
  return std::chrono::nanoseconds(std::chrono::minutes{1}) / std::max(policy_.per_minute, 1U);
}

duration recheck::slack() const {
  constexpr std::uint32_t seconds = 60;
  return spacing() * (std::max(policy_.per_minute / seconds, 1U) - 1);
}

} // namespace troupe
