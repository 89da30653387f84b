#pragma once

#include "actors/admin/admin_call.hpp"
#include "actors/bridge.hpp"
#include "actors/inventory/job_board.hpp"

namespace troupe {

/// The audit, jobs, backup, restore, rotation, and who asks. Runs on one loop.
class rest_routes {
public:
  rest_routes(bridge& actors, caf::actor inventory, job_board& jobs)
      : actors_(actors), inventory_(std::move(inventory)), jobs_(jobs) {}

  http::task<admin_reply> serve(const admin_call& call);

private:
  http::task<admin_reply> audit(const admin_call& call);
  http::task<admin_reply> directory_job(const admin_call& call);
  http::task<admin_reply> rotate(const admin_call& call);
  admin_reply jobs(const admin_call& call);
  admin_reply whoami(const admin_call& call) const;

  bridge& actors_;
  caf::actor inventory_;
  job_board& jobs_;
};

} // namespace troupe
