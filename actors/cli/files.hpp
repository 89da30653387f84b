#pragma once

#include "protocol/base/result.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

/// Files and the terminal of this process.

namespace troupe::cli {

/// All of a file of at most `bytes_max`. Fails with `not_found`, `permission`,
/// `invalid_argument` (a directory, too long); the text names the path.
result<std::string> read_file(const std::string& path, std::size_t bytes_max);

/// As `read_file`, of a file that nobody but its owner may read: `permission` otherwise.
result<std::string> read_private_file(const std::string& path);

/// Standard input to its end.
result<std::string> read_input(std::size_t bytes_max);

/// Shows `prompt` on standard error and gives the line that somebody types; with `hidden` the
/// terminal does not show it. Nothing at the end of the input or when it is broken off.
std::optional<std::string> read_line(const std::string& prompt, bool hidden);

/// How wide the terminal behind standard output is; 0 if there is none.
std::size_t terminal_columns();

/// Until what it gives is gone, Ctrl-C makes that say true instead of ending the process; a second
/// one ends it. One at a time.
std::function<bool()> watch_interrupts();

} // namespace troupe::cli
