#pragma once

#include "http/event_loop.hpp"
#include "protocol/base/result.hpp"
#include "protocol/config/settings.hpp"

#include <caf/fwd.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace troupe {

/// The loops of a node and its actor system, running from `start` to `stop`. Owned by one
/// thread that is none of the loops'.
class runtime {
public:
  /// Before the actor system is built: what it must know, such as names of messages.
  using configure = std::function<void(caf::actor_system_config&)>;

  /// As many CAF workers as loops. Fails with `invalid_argument` for no loops or more than
  /// 256, with `permission` when the operating system gives no thread.
  static result<std::unique_ptr<runtime>> start(scheduler_kind kind, std::size_t loops,
                                                const configure& prepare = {});

  /// Calls `stop`.
  virtual ~runtime() = default;

  virtual scheduler_kind kind() const = 0;
  virtual caf::actor_system& system() = 0;

  /// Valid until `stop`.
  virtual std::vector<http::event_loop*> loops() = 0;

  /// Waits until every actor has ended, then stops the loops. Before: servers, clients and
  /// bridges on the loops are stopped and gone, and every actor was told to end. A second call
  /// does nothing.
  virtual void stop() = 0;
};

} // namespace troupe
