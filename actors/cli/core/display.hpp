#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text of strangers on a terminal: names, notes and error texts come from whoever wrote them,
/// and a terminal obeys what it is shown.

namespace troupe::cli {

/// `text` with everything that a terminal would act on, or that would make it show something
/// else than what is there, written as an escape: control characters (`\n`, `\x1b`), marks that
/// turn the direction of writing (`\u202e`), line separators, bytes that are no UTF-8 (`\xff`).
std::string shown(std::string_view text);

/// How many columns `text` takes: two for most East Asian characters and pictures, none for
/// marks that join the character before them. `text` is what `shown` gave.
std::size_t width_of(std::string_view text);

/// `text` in at most `columns`, with `…` where it was cut.
std::string cut_to(std::string_view text, std::size_t columns);

} // namespace troupe::cli
