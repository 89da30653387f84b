#pragma once

#include "actors/admin/admin_call.hpp"
#include "actors/bridge.hpp"

#include <functional>

namespace troupe {

/// `/admin/v1/credentials` and what is below it. Runs on one loop.
class credential_routes {
public:
  using clock = std::function<wall_time()>;

  credential_routes(bridge& actors, caf::actor inventory, clock wall)
      : actors_(actors), inventory_(std::move(inventory)), wall_(std::move(wall)) {}

  http::task<admin_reply> serve(const admin_call& call);

private:
  http::task<admin_reply> list(const admin_call& call);
  http::task<admin_reply> add(const admin_call& call);
  http::task<admin_reply> show(const admin_call& call);
  http::task<admin_reply> edit(const admin_call& call);
  http::task<admin_reply> revoke(const admin_call& call);
  http::task<admin_reply> renew(const admin_call& call);
  admin_reply made(const result<answer<new_credential>>& got) const;
  std::int64_t now_ms() const { return wall_().time_since_epoch().count(); }

  bridge& actors_;
  caf::actor inventory_;
  clock wall_;
};

} // namespace troupe
