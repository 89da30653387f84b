#include "actors/front/explain_board.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

void explain_board::add(record r) {
  const std::lock_guard lock(access_);
  if (ring_.empty())
    return;
  std::swap(ring_[next_], r); // the old one ends outside of the lock
  next_ = (next_ + 1) % ring_.size();
}

std::optional<explain_board::record> explain_board::find(std::string_view request_id) const {
  const std::lock_guard lock(access_);
  const auto at = std::ranges::find_if(
      ring_, [&](const record& r) { return r.request.request_id == request_id; });
  if (request_id.empty() || at == ring_.end())
    return std::nullopt;
  return *at;
}

} // namespace troupe
