#pragma once

// What this room does with files and directories beside the database.

#include "protocol/base/result.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe::storage {

/// What an `errno` of a file operation means to a caller.
errc code_of_errno(int number);

/// The failure of `doing`, with what the operator can do about it where that is known.
failure failure_of(const std::string& doing, int number);

/// Makes an empty file for its owner alone, synced.
result<void> make_file(const std::string& path);

/// Makes `directory` and those above it if they are not there, it for its owner alone.
result<void> make_directory(const std::string& directory);

/// A rename, or a new file, survives the loss of power once its directory was synced.
result<void> sync_directory(const std::string& directory);

/// So do its files' bytes once those were.
result<void> sync_files_in(const std::string& directory);

/// Renames, and syncs the directory that holds both.
result<void> put_in_place(const std::string& from, const std::string& to);

/// Whether the directory takes a file of `bytes` now: it is written and removed again.
result<void> has_room(const std::string& directory, std::size_t bytes);

/// `path` with a number from 1 behind it, as is not taken.
std::string free_name(const std::string& path);

bool exists(const std::string& path);

/// Best effort: what is left over is removed the next time.
void remove_all(const std::string& path);

/// Owner alone, also for what is in it.
void close_to_others(const std::string& directory);

/// A whole file. Pages that the disk cannot give are zeros: what lies around them counts.
result<std::string> read_file(const std::string& path);

/// The names in a directory, sorted; none if it cannot be read.
std::vector<std::string> names_in(const std::string& directory);

} // namespace troupe::storage
