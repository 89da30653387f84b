#include "actors/core/login_guard.hpp"

#include <algorithm>
#include <vector>

namespace troupe {

namespace {

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> groups;
  for (std::size_t at = 0; !text.empty() && at <= text.size();) {
    const auto end = std::min(text.find(':', at), text.size());
    groups.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return groups;
}

} // namespace

duration login_guard::wait(std::string_view address, time_point now) const {
  const auto at = by_address_.find(guarded_address(address));
  if (at == by_address_.end() || at->second->until <= now)
    return duration::zero();
  return at->second->until - now;
}

void login_guard::failed(std::string_view address, time_point now) {
  auto name = guarded_address(address);
  auto at = by_address_.find(name);
  if (at == by_address_.end()) {
    records_.push_front({name, 0, now, now});
    at = by_address_.emplace(std::move(name), records_.begin()).first;
  } else {
    records_.splice(records_.begin(), records_, at->second);
  }
  auto& r = *at->second;
  // Whoever was shut out has to be quiet for a whole window after it to begin anew.
  if (now - std::max(r.began, r.until) >= window)
    r.failures = 0;
  if (r.failures == 0)
    r.began = now;
  ++r.failures;
  if (r.failures > free_max) {
    const auto doublings = std::min<std::uint32_t>(r.failures - free_max - 1, 6);
    r.until = now + std::min(wait_min * (1U << doublings), wait_max);
  }
  if (records_.size() > addresses_max) {
    by_address_.erase(records_.back().address);
    records_.pop_back();
  }
}

void login_guard::succeeded(std::string_view address) {
  const auto at = by_address_.find(guarded_address(address));
  if (at == by_address_.end())
    return;
  records_.erase(at->second);
  by_address_.erase(at);
}

std::string guarded_address(std::string_view address) {
  if (const auto zone = address.find('%'); zone != std::string_view::npos)
    address = address.substr(0, zone);
  if (address.find(':') == std::string_view::npos)
    return std::string{address};
  if (const auto dot = address.find('.'); dot != std::string_view::npos)
    return std::string{address.substr(address.rfind(':') + 1)};
  const auto gap = address.find("::");
  auto groups = split(address.substr(0, gap));
  if (gap != std::string_view::npos) {
    const auto tail = split(address.substr(gap + 2));
    while (groups.size() + tail.size() < 8)
      groups.push_back("0");
    groups.insert(groups.end(), tail.begin(), tail.end());
  }
  std::string network;
  for (std::size_t i = 0; i < std::min<std::size_t>(groups.size(), 4); ++i)
    network += std::string{groups[i]} + ':';
  return network + ":/64";
}

} // namespace troupe
