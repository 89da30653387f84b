#pragma once

#include "actors/admin/admin_call.hpp"
#include "actors/admin/check_run.hpp"
#include "actors/bridge.hpp"

#include <memory>

namespace troupe {

/// `/admin/v1/keys` and what is below it. Runs on one loop.
class key_routes {
public:
  key_routes(bridge& actors, caf::actor inventory, std::shared_ptr<key_checker> checker,
             job_board& jobs)
      : actors_(actors),
        inventory_(inventory),
        checker_(checker),
        runs_(actors, std::move(inventory), std::move(checker), jobs),
        jobs_(jobs) {}

  http::task<admin_reply> serve(const admin_call& call);

  /// Ends a check of many keys. On the loop.
  void stop() { runs_.stop(); }

private:
  http::task<admin_reply> list(const admin_call& call);
  http::task<admin_reply> add(const admin_call& call);
  http::task<admin_reply> show(const admin_call& call);
  http::task<admin_reply> edit(const admin_call& call);
  http::task<admin_reply> erase(const admin_call& call);
  http::task<admin_reply> order(const admin_call& call, key_order what);
  http::task<admin_reply> check(const admin_call& call);
  http::task<admin_reply> import_many(const admin_call& call);
  http::task<admin_reply> change_many(const admin_call& call);

  bridge& actors_;
  caf::actor inventory_;
  std::shared_ptr<key_checker> checker_;
  check_runs runs_;
  job_board& jobs_;
};

} // namespace troupe
