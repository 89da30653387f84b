#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::cli {

/// JSON for a reader: a member a line, two blanks a level. Numbers and strings stay byte for byte,
/// but for characters that a terminal would act on, which become escapes.
std::string pretty_json(std::string_view text);

/// One document out of the pages of a list: the last page, with the elements of `list` of all
/// pages in their order. Nothing if a page is not what it should be.
///
/// @param pages  at least one
std::optional<std::string> joined_pages(const std::vector<std::string>& pages,
                                        std::string_view list);

} // namespace troupe::cli
