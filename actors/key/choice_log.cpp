#include "actors/key/choice_log.hpp"

#include <algorithm>
#include <string_view>

namespace troupe {
namespace {

std::string_view word_of(choice_log::outcome o) {
  switch (o) {
  case choice_log::outcome::sent:
    return "sent";
  case choice_log::outcome::waits:
    return "waits";
  case choice_log::outcome::resting:
    return "resting";
  case choice_log::outcome::none_usable:
    return "none_usable";
  case choice_log::outcome::full:
    return "waiting_room_full";
  case choice_log::outcome::limited:
    return "credential_limit";
  case choice_log::outcome::stopping:
    return "stopping";
  }
  return "unknown";
}

} // namespace

void choice_log::note(std::uint64_t ticket, outcome what, const choice& c,
                      const std::vector<turned_word>& turned, wall_time at, duration waited) {
  if (ring_.empty() || ticket == 0)
    return;
  auto& e = ring_[next_];
  next_ = (next_ + 1) % ring_.size();
  e.ticket = ticket;
  e.what = what;
  e.at = at;
  e.waited = waited;
  e.made = c;
  e.turned = turned;
}

std::vector<choice_note> choice_log::of(const std::vector<std::uint64_t>& tickets) const {
  std::vector<choice_note> all;
  for (std::size_t i = 0; i < ring_.size(); ++i) {
    const auto& e = ring_[(next_ + i) % ring_.size()];
    if (e.ticket == 0 || std::ranges::find(tickets, e.ticket) == tickets.end())
      continue;
    auto& n = all.emplace_back();
    n.ticket = e.ticket;
    n.at_ms = e.at.time_since_epoch().count();
    n.chosen = e.made.kind == choice_kind::chosen ? e.made.key : 0;
    n.members = e.made.members;
    n.usable = e.made.usable;
    n.tier = e.made.tier;
    n.by_affinity = e.made.by_affinity;
    for (std::uint32_t l = 0; l < e.made.looks; ++l)
      n.looked.push_back({e.made.looked[l].key, e.made.looked[l].score});
    n.turned = e.turned;
    n.waited_ms = std::chrono::duration_cast<std::chrono::milliseconds>(e.waited).count();
    n.outcome = word_of(e.what);
  }
  return all;
}

} // namespace troupe
