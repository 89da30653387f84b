#include "actors/core/sharing_watch.hpp"

#include <algorithm>

namespace troupe {

void sharing_watch::throttled(std::uint64_t key, std::size_t keys, time_point now) {
  std::erase_if(recent_, [&](const sighting& s) { return now - s.at > together || s.key == key; });
  recent_.push_back({key, now});
  const bool many = recent_.size() > std::max<std::size_t>(keys / 3, 2);
  if (many || keys < 3)
    return;
  if (throttles_.size() >= pairs_max || pairs_.size() >= pairs_max) {
    throttles_.clear();
    pairs_.clear();
  }
  ++throttles_[key];
  for (const auto& other : recent_)
    if (other.key != key)
      ++pairs_[std::minmax(key, other.key)];
}

void sharing_watch::names_project(std::uint64_t key, const std::string& project) {
  if (!project.empty())
    projects_[key] = project;
}

void sharing_watch::forget(std::uint64_t key) {
  throttles_.erase(key);
  projects_.erase(key);
  std::erase_if(recent_, [key](const sighting& s) { return s.key == key; });
  std::erase_if(pairs_,
                [key](const auto& p) { return p.first.first == key || p.first.second == key; });
}

std::vector<sharing_watch::suspicion> sharing_watch::suspected() const {
  std::vector<suspicion> all;
  std::map<std::string, std::vector<std::uint64_t>> by_project;
  for (const auto& [key, project] : projects_)
    by_project[project].push_back(key);
  for (auto& [project, keys] : by_project) {
    if (keys.size() < 2)
      continue;
    std::ranges::sort(keys);
    all.push_back({std::move(keys), "the upstream names " + project + " for all of them"});
  }
  for (const auto& [both, times] : pairs_) {
    const auto of = [&](std::uint64_t key) {
      const auto at = throttles_.find(key);
      return at == throttles_.end() ? 0U : at->second;
    };
    // Of two throttles that belong together, the later one sees the earlier.
    const auto most = std::max(of(both.first), of(both.second));
    if (times >= times_min && std::uint64_t{times} * 100 >= std::uint64_t{most} * share_percent)
      all.push_back({{both.first, both.second},
                     "throttled together " + std::to_string(times) + " of " + std::to_string(most)
                         + " times, while other keys were not"});
  }
  return all;
}

} // namespace troupe
