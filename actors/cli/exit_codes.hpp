#pragma once

namespace troupe::cli {

/// How a command ends. Scripts rely on it: docs/cli.md.
enum exit_code : int {
  done = 0,
  refused = 1, ///< by the node; or one item of many failed
  wrong_usage = 2,
  // 3 is `serve`'s: some requests had to be cut
  not_reachable = 4,
  not_allowed = 5,
  not_found = 6,
  conflict = 7, ///< somebody else changed it first
};

} // namespace troupe::cli
