#pragma once

#include "actors/cli/api_link.hpp"
#include "actors/cli/configuration.hpp"

#include <string>

namespace troupe::cli {

/// Flags that every command has which talks to a node.
struct node_flags {
  std::string admin;           ///< URL
  std::string credential_file; ///< for `admin`
  std::string ca_file;
  std::string data_dir;
  std::string config_path;
  std::string env_path;
  std::string timeout = "30s";
  bool json = false;
};

/// The node that a command means.
struct node_target {
  link_options link;
  std::string name;         ///< for people: a URL, or the path of a socket
  bool local = false;       ///< over the socket of a data directory
  std::string data_dir;     ///< if it is local
  bool unencrypted = false; ///< a credential would go readable over a network
};

/// Finds it: `--admin`, then the data directory of the flags, then `TROUPE_ADMIN_URL`, then the
/// data directory of the configuration. Nothing is called yet. Fails with `invalid_argument` or
/// `permission`; the text says what to do.
result<node_target> find_node(const node_flags& flags, const cli_surroundings& around);

/// The configuration that a node with these flags would have.
configuration_flags configuration_of(const node_flags& flags);

} // namespace troupe::cli
