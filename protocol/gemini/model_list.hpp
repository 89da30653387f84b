#pragma once

#include "protocol/base/result.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace troupe::gemini {

/// A page of `models.list` without the models that `keep` does not want; it is asked with their
/// ids, without `models/`. A model without a name goes too; whatever else the page holds stays,
/// the token of the next page above all. Fails with `upstream_malformed`.
result<std::string> keep_models(std::string_view page,
                                const std::function<bool(std::string_view id)>& keep);

} // namespace troupe::gemini
