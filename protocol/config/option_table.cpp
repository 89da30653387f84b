#include "protocol/config/option_rows.hpp"

namespace troupe::config {

std::span<const option> options() {
  static const auto table = [] {
    std::vector<option> all;
    for (const auto& rows :
         {node_rows(), upstream_rows(), pool_rows(), credential_rows(), model_rows(), log_rows()})
      all.insert(all.end(), rows.begin(), rows.end());
    return all;
  }();
  return table;
}

} // namespace troupe::config
