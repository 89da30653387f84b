#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// The known name that `given` was most likely meant to be: the one with the fewest single
/// edits (insert, delete, replace, swap of neighbours), if these are few for its length.
/// Empty: none is near.
std::string_view nearest_name(std::string_view given, std::span<const std::string_view> known);

/// `name` in quotes for an error text, or `a name` where it may be a secret that stands in
/// the wrong place: long, or with characters that no option has.
std::string printable_name(std::string_view name);

/// The name of a model in quotes for an error text, or `a model` where it may be a secret: capital
/// letters, or many characters in a row that no hyphen or dot parts.
std::string shown_model(std::string_view name);

/// Parts of `text` between `separator`s, without surrounding white space.
std::vector<std::string_view> split(std::string_view text, char separator);

std::string_view trimmed(std::string_view text);
std::string lower(std::string_view text);

} // namespace troupe::config
