#pragma once

#include "actors/log.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/secret.hpp"
#include "protocol/base/time.hpp"
#include "protocol/config/load.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// Credentials that the first start made because none was configured: to be shown once.
struct first_credentials {
  secret client;
  secret admin;
};

/// A running node: everything between its two ports and its data directory, built in order and
/// ended in reverse. Owned by one thread, which is none of the loops'.
class node {
public:
  /// `sources`: everything but what the data directory holds, which `first` (the settings that
  /// follow from them) names. `log` must outlive the node. The failure's text tells an operator
  /// what to do. `made`: credentials that this start made because there were none, also if it
  /// failed afterwards: they are kept as hashes, and nobody can ask for them again.
  static result<std::unique_ptr<node>> start(const config_sources& sources, const settings& first,
                                             node_log& log, first_credentials& made);

  /// Calls `stop`.
  virtual ~node() = default;

  virtual std::uint16_t port() const = 0;
  virtual std::uint16_t admin_port() const = 0;
  virtual std::size_t keys() const = 0;

  /// What is in force now. Any thread.
  virtual std::shared_ptr<const loaded_settings> settings_now() const = 0;

  /// Readiness turns 503, no connection is taken any more, running exchanges finish.
  virtual void drain() = 0;

  /// After `drain`: waits at most `limit` for the exchanges to end. True: all have.
  virtual bool wait_drained(duration limit) = 0;

  /// Cuts what is left, stores what is known of the keys, ends every thread. False: the disk
  /// did not take all of it.
  virtual bool stop() = 0;
};

} // namespace troupe
