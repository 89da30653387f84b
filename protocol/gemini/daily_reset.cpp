#include "protocol/gemini/classify.hpp"

#include "protocol/base/day_clock.hpp"

namespace troupe::gemini {

wall_time next_daily_reset(wall_time now) {
  return day_clock{}.next_midnight(now);
}

} // namespace troupe::gemini
