#pragma once

#include "actors/cli/command.hpp"

/// The commands that talk to a node, a function a group. Each describes its commands below the
/// one that it is given, or that one itself.

namespace troupe::cli {

void add_keys(command c);
void add_credentials(command c);
void add_config(command c);
void add_pool(command c);
void add_upstreams(command c);
void add_explain(command c);
void add_audit(command c);
void add_jobs(command c);
void add_backup(command c);
void add_restore(command c);
void add_secrets(command c);
void add_whoami(command c);

} // namespace troupe::cli
