#pragma once

#include "actors/inventory/inventory_messages.hpp"
#include "actors/inventory/job_board.hpp"

#include <string>
#include <string_view>
#include <vector>

// The audit, jobs, and who asks, as JSON.

namespace troupe {

std::string audit_document(const audit_page& page);

/// `{"job":{...}}`.
std::string job_document(const job_view& j);
/// `{"jobs":[...]}`.
std::string job_list_document(const std::vector<job_view>& all);

std::string whoami_document(std::string_view name, storage::role role, std::string_view from);

} // namespace troupe
