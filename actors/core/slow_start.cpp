#include "actors/core/slow_start.hpp"

#include <algorithm>

namespace troupe {

void begin(slow_start& s) {
  s.allowed = 1;
}

void on_rest(slow_start& s) {
  s.rests = std::min(s.rests + 1, slow_start::rests_before);
  if (s.rests == slow_start::rests_before || s.allowed != 0)
    begin(s);
}

void on_ok(slow_start& s) {
  s.rests = 0;
  s.allowed = s.allowed >= slow_start::allowed_max ? 0 : s.allowed * 2;
}

bool admits(const slow_start& s, std::uint32_t in_flight) {
  return s.allowed == 0 || in_flight < s.allowed;
}

} // namespace troupe
