#pragma once

#include "actors/admin/key_checker.hpp"
#include "actors/bridge.hpp"

#include <caf/actor.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace troupe {

/// Checks disabled keys when the pool says that they are due, and tells it how each ended. Asks
/// again only once there is nothing left to do, so what is due waits in the pool, and while
/// nothing is due one open question is all that there is. Ends when the pool does. Runs on one
/// loop.
class recheck_run {
public:
  static constexpr std::size_t at_once_max = 4;

  recheck_run(bridge& actors, caf::actor pool, std::shared_ptr<key_checker> checker, log_sink& log);
  ~recheck_run() { stop(); }
  recheck_run(const recheck_run&) = delete;
  recheck_run& operator=(const recheck_run&) = delete;

  void begin();

  /// Cuts what runs, before the bridge stops. Its coroutines touch nothing outside of themselves
  /// any more.
  void stop();

private:
  struct run;
  static http::task<void> gather(std::shared_ptr<run> r);
  static http::task<void> work(std::shared_ptr<run> r);

  std::shared_ptr<run> run_;
};

} // namespace troupe
