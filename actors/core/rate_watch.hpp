#pragma once

#include "protocol/base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// How many calls of each model were granted in the last minute: what an estimate is made of
/// when a throttle names no limit. A value; bounded, the model that was called longest ago goes.
class rate_watch {
public:
  static constexpr std::size_t models_max = 32;

  void note(std::string_view model, time_point now);
  /// Granted in the current second and the 59 before it.
  std::uint32_t in_last_minute(std::string_view model, time_point now) const;

private:
  static constexpr std::int64_t seconds = 60;

  struct row {
    std::string model;
    std::int64_t last = 0; ///< the second of the newest count
    std::array<std::uint32_t, seconds> counts{};
  };

  row& row_of(std::string_view model, std::int64_t second);

  std::vector<row> rows_;
};

} // namespace troupe
