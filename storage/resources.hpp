#pragma once

#include "protocol/base/result.hpp"
#include "storage/core/resource_item.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::storage {

/// Rows that could not be read. Their resources are as if they had never been made: a gateway
/// that will not start for one damaged row serves nobody.
struct unreadable_resources {
  static constexpr std::size_t words_max = 20;

  std::uint64_t rows = 0;
  std::vector<std::string> words; ///< of the first of them
};

/// Must not call the store.
using resource_visitor = std::function<void(std::string_view name, const resource_item&)>;

/// Gives every resource that is kept, also those that have expired, for a start. One by one:
/// there may be a million. Fails only if the column cannot be read.
result<unreadable_resources> load_resources(const store& from, const resource_visitor& take);

} // namespace troupe::storage
