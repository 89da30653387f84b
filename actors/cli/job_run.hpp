#pragma once

#include "actors/cli/session.hpp"

#include <optional>
#include <string>

namespace troupe::cli {

/// Follows the job that `begun` tells of to its end: progress on standard error if that is a
/// terminal, Ctrl-C asks the node to cancel it. Gives what the node said last, with the job in
/// `tree`; nothing if it could not be followed, which was told. A job that failed or was
/// cancelled is told, and in the code of the session, but given too: its report says how far it
/// came.
std::optional<told> follow_job(session& s, told begun);

/// The same for a job that a call begins.
std::optional<told> run_job(session& s, const api_request& request);

/// The job in an answer about one.
const config::node& job_in(const config::node& answer);

/// `[#####     ]  3,400 of 10,000`, in at most `columns`; 0: as wide as it likes.
std::string progress_line(std::int64_t finished, std::int64_t total, std::size_t columns);

} // namespace troupe::cli
