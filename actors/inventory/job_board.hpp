#pragma once

#include "protocol/base/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

enum class job_state : std::uint8_t { running, done, failed, cancelled };

/// `running`, `done`, ...
std::string_view to_string(job_state s);

/// Long work of the admin side, as it is shown.
struct job_view {
  std::uint64_t id = 0;
  std::string kind; ///< `keys.import`, `backup`, ...
  std::string who;
  job_state state = job_state::running;
  std::uint64_t done = 0;
  std::uint64_t total = 0; ///< 0: not known yet
  std::int64_t started_at_ms = 0;
  std::int64_t ended_at_ms = 0;
  std::string report;  ///< JSON object once it has ended; may be partial after `cancelled`
  std::string error;   ///< `failed`: why, for people
  bool cancel = false; ///< somebody asked for its end
};

/// What runs and what ran: in memory, the newest `ended_max` of those that ended. Thread-safe.
class job_board {
public:
  using clock = std::function<wall_time()>;
  explicit job_board(clock now, std::size_t ended_max = 64)
      : now_(std::move(now)), ended_max_(ended_max) {}

  std::uint64_t begin(std::string kind, std::string who, std::uint64_t total = 0);
  /// False: somebody wants it to end.
  bool progress(std::uint64_t id, std::uint64_t done, std::uint64_t total);
  void end(std::uint64_t id, job_state how, std::string report, std::string error = {});

  /// False: there is no such job, or it has ended.
  bool cancel(std::uint64_t id);
  std::optional<job_view> find(std::uint64_t id) const;
  std::vector<job_view> list() const; ///< newest first
  /// How many of `kind` are running.
  std::size_t running(std::string_view kind) const;

private:
  void forget_old();

  clock now_;
  std::size_t ended_max_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, job_view> jobs_;
  std::uint64_t last_ = 0;
};

} // namespace troupe
