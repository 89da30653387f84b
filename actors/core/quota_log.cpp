#include "actors/core/quota_log.hpp"

#include <algorithm>
#include <array>

namespace troupe {

namespace {

constexpr int buckets_of_a_span = 600;
constexpr std::size_t waste_min = 64; ///< entries that left are kept up to here

} // namespace

std::vector<quota_log::entry>::iterator quota_log::find(time_point at) {
  return std::lower_bound(entries_.begin() + static_cast<std::ptrdiff_t>(first_), entries_.end(),
                          at, [](const entry& e, time_point t) { return e.latest < t; });
}

void quota_log::add(time_point at, std::uint64_t amount) {
  if (amount == 0)
    return;
  const bool newest = first_ == entries_.size() || entries_.back().latest < at;
  if (newest)
    used(at); // a log that nobody reads stays small too
  sum_ += amount;
  if (newest) {
    entries_.push_back({at, amount});
  } else if (const auto found = find(at); found->latest == at) {
    found->amount += amount;
    return;
  } else {
    entries_.insert(found, {at, amount});
  }
  if (entries_.size() - first_ > entries_max)
    fold();
}

void quota_log::take_back(time_point at, std::uint64_t amount) {
  if (at <= gone_)
    return;
  const auto found = find(at);
  if (found == entries_.end())
    return;
  const auto taken = std::min(amount, found->amount);
  found->amount -= taken; // an entry of nothing stays until it leaves: erasing it costs more
  sum_ -= taken;
}

void quota_log::move(time_point from, time_point to, std::uint64_t amount) {
  take_back(from, amount);
  add(to, amount);
}

std::uint64_t quota_log::used(time_point now) {
  while (first_ < entries_.size()
         && (entries_[first_].amount == 0 || entries_[first_].latest + span_ <= now)) {
    gone_ = std::max(gone_, entries_[first_].latest); // what came out of order may be older
    sum_ -= entries_[first_].amount;
    ++first_;
  }
  if (first_ == entries_.size()) {
    entries_.clear();
    first_ = 0;
  } else if (first_ >= waste_min && first_ * 2 >= entries_.size()) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  return sum_;
}

std::uint64_t quota_log::left_by(time_point then) const {
  std::uint64_t sum = 0;
  for (const auto& e : entries()) {
    if (e.latest + span_ > then)
      break;
    sum += e.amount;
  }
  return sum;
}

time_point quota_log::next() const {
  for (const auto& e : entries())
    if (e.amount > 0)
      return e.latest + span_;
  return never;
}

time_point quota_log::when(std::initializer_list<const quota_log*> logs, std::uint64_t amount) {
  struct place {
    std::span<const entry> rest;
    duration span{};
  };
  std::array<place, 3> places;
  std::size_t count = 0;
  for (const auto* log : logs)
    if (count < places.size())
      places[count++] = {log->entries(), log->span_};

  std::uint64_t left = 0;
  for (;;) {
    place* next = nullptr;
    for (auto& p : std::span{places}.first(count))
      if (!p.rest.empty() && (!next || p.rest.front().latest < next->rest.front().latest))
        next = &p;
    if (!next)
      return never;
    left += next->rest.front().amount;
    if (left >= amount)
      return next->rest.front().latest + next->span;
    next->rest = next->rest.subspan(1);
  }
}

void quota_log::fold() {
  // Buckets stand at fixed instants: entries that only had to be near each other could pull one
  // another along without end.
  const auto width = std::max<duration>(span_ / buckets_of_a_span, duration{1});
  const auto bucket = [width](const entry& e) { return e.latest.time_since_epoch() / width; };
  auto last = entries_.begin();
  auto end = entries_.begin();
  for (std::size_t i = first_; i < entries_.size(); ++i) {
    const auto e = entries_[i];
    if (e.amount == 0)
      continue;
    if (end != entries_.begin() && bucket(*last) == bucket(e)) {
      last->latest = e.latest;
      last->amount += e.amount;
    } else {
      last = end;
      *end++ = e;
    }
  }
  entries_.erase(end, entries_.end());
  first_ = 0;
}

} // namespace troupe
