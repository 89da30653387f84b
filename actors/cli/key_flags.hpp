#pragma once

#include "actors/cli/command.hpp"
#include "actors/cli/core/key_arguments.hpp"

#include <optional>
#include <string>

namespace troupe::cli {

/// Fields of a key on a command line, with what cannot stand there.
struct key_field_flags {
  key_fields fields;
  std::string proxy_file; ///< holds the proxy's URL with its password
};

void add_key_field_flags(command& c, key_field_flags& into);

/// The fields, with what files hold. Nothing if it makes no sense, which was told.
std::optional<key_fields> read_key_fields(session& s, const key_field_flags& told);

/// Text of a file, or of standard input for `-`. Nothing if it cannot be read, which was told.
std::optional<std::string> read_text(session& s, const std::string& path, std::size_t bytes_max);

std::string without_blanks_around(std::string_view text);

} // namespace troupe::cli
