#pragma once

#include "actors/admin/key_checker.hpp"
#include "actors/inventory/job_board.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// Checks of many keys, `at_once_max` at a time: a job on the board, which can be cancelled
/// there. One runs at a time. Runs on the checker's loop.
class check_runs {
public:
  static constexpr std::size_t at_once_max = 8;
  static constexpr std::string_view kind = "keys.check";

  check_runs(bridge& actors, caf::actor inventory, std::shared_ptr<key_checker> checker,
             job_board& jobs)
      : actors_(actors),
        inventory_(std::move(inventory)),
        checker_(std::move(checker)),
        jobs_(jobs) {}
  ~check_runs() { stop(); }

  /// The number of the job that has begun; 0: one is running.
  std::uint64_t begin(key_filter filter, asker by);

  /// Loop's thread: ends what runs. Its coroutines touch nothing of this object any more.
  void stop();

private:
  struct run;
  static http::task<void> gather(std::shared_ptr<run> r);
  static http::task<void> work(std::shared_ptr<run> r);
  static void finish(run& r);

  bridge& actors_;
  caf::actor inventory_;
  std::shared_ptr<key_checker> checker_; ///< a run keeps it while its calls end
  job_board& jobs_;
  std::shared_ptr<run> running_;
};

} // namespace troupe
