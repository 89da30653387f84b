#pragma once

#include "actors/inventory/inventory.hpp"
#include "protocol/config/load.hpp"
#include "storage/store.hpp"

#include <memory>

namespace troupe {

/// What a node keeps on disk: the database, and the tables in it.
struct node_data {
  std::unique_ptr<storage::store> db;
  std::unique_ptr<inventory> tables; ///< looks at `db`: goes first
};

/// Opens the data directory that `first` names. What is damaged there is logged. `jobs` and `log`
/// outlive the data. The failure's text tells an operator what to do.
result<node_data> open_node_data(const config_sources& sources, const settings& first,
                                 job_board& jobs, log_sink& log);

/// The wall clock as it is stored and shown: in milliseconds.
wall_time wall_now();

} // namespace troupe
