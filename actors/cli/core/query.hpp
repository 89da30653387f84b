#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::cli {

/// `?a=b&c=d`, encoded; empty for none, and without what has an empty value.
std::string query_text(const std::vector<std::pair<std::string, std::string>>& parameters);

/// `text` as one segment of a path, whatever it holds.
std::string encoded_segment(std::string_view text);

/// `texts` with commas between them.
std::string joined(const std::vector<std::string>& texts);

} // namespace troupe::cli
