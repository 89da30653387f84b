#pragma once

#include "protocol/config/document.hpp"
#include "protocol/config/options.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// The database layer as a tree: read strictly, merged, taken apart. Its text has the
/// shape of the configuration file, members sorted by name, so that equal layers are equal texts.

namespace troupe::config {

/// Bound of a patch, and of the whole layer: what has grown beyond it could not be read again.
constexpr std::size_t database_bytes_max = std::size_t{1024} * 1024;

/// What the layer and what is wrong with it are called.
constexpr std::string_view database_name = "database";

/// A problem of the layer; it has no lines that anybody could look up.
void add_problem(config_problems& problems, std::string option, std::string code, std::string text);

/// Reads strict JSON that holds an object; an empty text counts as `{}`. Whatever is wrong with
/// it has the code `invalid_json`, and a syntax error names line and column.
std::optional<node> read_strict(std::string_view text, config_problems& problems);

/// The text of the layer, which is empty if it says nothing.
std::string written(const node& whole);

/// `target` after the merge patch (RFC 7396), members sorted by name. Objects that become empty
/// go, so that a layer says no more than it must.
node merged(node target, const node& patch);

/// Whether something stands at the path of an option outside of lists, or of a section.
bool says(const node& document, std::string_view path);

/// Null: `object` has no such member.
node* member_of(node& object, std::string_view name);

/// Visits the path and the value of everything that `object` says, down to what is no section.
/// A name that holds a dot or a bracket names nothing below it.
void for_each_leaf(const node& object,
                   const std::function<void(const std::string& path, const node&)>& visit);

/// Takes out what has the path of a problem (`pool.cooldown`, `upstreams[2].verify`); where an
/// element of a list is wrong as a whole, all of the list. Sections that become empty go too.
/// False: there is no such thing.
bool take_out(node& document, std::string_view path);

/// Takes out names that are no options, and calls `told` with the path of each.
void take_out_unknown(node& document, const std::function<void(const std::string&)>& told);

} // namespace troupe::config
