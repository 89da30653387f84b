#pragma once

#include "protocol/base/result.hpp"

#include <string>
#include <utility>
#include <vector>

namespace troupe::cli {

/// A merge patch in the shape of the configuration file out of paths and texts, as somebody types
/// them: `pool.attempts_max` `5`. What type a text has follows the option's; an option that this
/// program does not know is JSON if it can be, so that it can talk to a newer node, which has the
/// last word. Fails with `invalid_argument`: the text is not what the option takes, a path stands
/// twice, lies inside another, or inside a list (lists are changed whole).
result<std::string>
patch_of(const std::vector<std::pair<std::string, std::string>>& paths_and_texts);

/// The same with `null` for each path: it goes back to what is below the database layer.
result<std::string> patch_without(const std::vector<std::string>& paths);

} // namespace troupe::cli
