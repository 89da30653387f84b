#pragma once

#include "actors/admin/admin_reply.hpp"
#include "actors/inventory/answer.hpp"
#include "actors/inventory/job_board.hpp"
#include "protocol/base/result.hpp"

#include <optional>

namespace troupe {

/// Why an ask of the inventory gave nothing, as the client is told; nothing if it gave something.
template <class T>
std::optional<admin_reply> refusal_in(const result<answer<T>>& got) {
  if (!got)
    return admin_error("unavailable", "The node is stopping.");
  if (!*got)
    return admin_error(*got->no);
  return std::nullopt;
}

/// 202 with the job that has begun.
admin_reply job_begun(const job_board& jobs, std::uint64_t job);

} // namespace troupe
