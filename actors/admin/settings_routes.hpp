#pragma once

#include "actors/admin/admin_call.hpp"
#include "actors/bridge.hpp"

namespace troupe {

/// `/admin/v1/settings` and what is below it. Runs on one loop.
class settings_routes {
public:
  settings_routes(bridge& actors, caf::actor inventory)
      : actors_(actors), inventory_(std::move(inventory)) {}

  http::task<admin_reply> serve(const admin_call& call);

private:
  http::task<admin_reply> show(const admin_call& call);
  http::task<admin_reply> change(const admin_call& call);
  http::task<admin_reply> history(const admin_call& call);
  http::task<admin_reply> diff(const admin_call& call);
  http::task<admin_reply> restore(const admin_call& call);

  bridge& actors_;
  caf::actor inventory_;
};

} // namespace troupe
