#pragma once

#include "actors/cli/command.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::cli {

/// How much of a list is wanted.
struct page_flags {
  std::size_t limit = 100;
  bool all = false;
  std::string after;
};

void add_page_flags(command& c, page_flags& into);

/// Reads as many pages of a list as are wanted; one document out of them, as if the node had
/// given it at once. Nothing if one could not be read, which was told.
///
/// @param list  the member that holds the elements
std::optional<told> read_pages(session& s, const std::string& path,
                               std::vector<std::pair<std::string, std::string>> query,
                               const std::string& list, const page_flags& wanted);

} // namespace troupe::cli
