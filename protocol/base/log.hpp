#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// Which part of the product speaks. One log file each; `security` also holds refusals.
enum class log_area : std::uint8_t { http, upstream, pool, storage, cluster, security };

enum class log_level : std::uint8_t { debug, info, warning, error };

std::string_view to_string(log_area area);
std::string_view to_string(log_level level);

/// Where rooms log. Thread-safe; never blocks on the disk. No text given to it may hold a
/// secret. `actors/log` implements it on spdlog; tests give their own.
class log_sink {
public:
  virtual ~log_sink() = default;

  virtual bool wants(log_area area, log_level level) const = 0;

  /// `request_id` may be empty: the line concerns no request.
  virtual void write(log_area area, log_level level, std::string_view request_id,
                     std::string_view text) = 0;
};

} // namespace troupe
