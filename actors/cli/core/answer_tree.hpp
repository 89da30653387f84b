#pragma once

#include "protocol/config/document.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Members of an answer of the node, read leniently: a newer node may say more, an older one
/// less, and a table of what is there is worth more than an error about what is not.

namespace troupe::cli {

/// A text, or anything else as JSON would say it; empty for what is absent or null.
std::string text_in(const config::node& object, std::string_view name);

/// 0 if it is no integer.
std::int64_t whole_in(const config::node& object, std::string_view name);

bool truth_in(const config::node& object, std::string_view name);

/// The elements of a list of texts, with `, ` between them.
std::string texts_in(const config::node& object, std::string_view name);

/// The object or list of that name; one that is empty if there is none.
const config::node& part_of(const config::node& object, std::string_view name);

/// A value for people: a text bare, everything else as JSON.
std::string value_text(const config::node& value);

} // namespace troupe::cli
