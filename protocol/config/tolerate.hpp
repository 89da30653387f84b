#pragma once

#include "protocol/config/load.hpp"

#include <string>
#include <vector>

namespace troupe::config {

/// A database layer without what is wrong in it, and everything loaded with it.
struct tolerated {
  loaded_settings loaded;
  std::string document;              ///< the layer that `loaded` has; empty: none
  std::vector<std::string> left_out; ///< why what is not; also among the warnings of `loaded`
};

/// A layer that a later version wrote, or that does not go with a new file, does not keep a node
/// from starting: least things are left out until the rest loads. Problems in `loaded` are those
/// of the other layers.
tolerated tolerate(const config_sources& sources);

} // namespace troupe::config
