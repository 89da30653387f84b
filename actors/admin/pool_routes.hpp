#pragma once

#include "actors/admin/admin_call.hpp"
#include "actors/admin/pool_document.hpp"
#include "actors/bridge.hpp"

#include <functional>
#include <utility>
#include <vector>

namespace troupe {

/// What the fronts tell the admin side. Called on the admin loop; not given: nothing is known.
struct front_words {
  explain_request explain{};
  std::function<std::vector<breaker_shown>()> breakers{};
};

/// What the pool and the upstreams are doing, and why a request went as it did. Runs on one loop.
class pool_routes {
public:
  pool_routes(bridge& actors, caf::actor pool, caf::actor inventory, front_words fronts)
      : actors_(actors),
        pool_(std::move(pool)),
        inventory_(std::move(inventory)),
        fronts_(std::move(fronts)) {}

  http::task<admin_reply> serve(const admin_call& call);

private:
  http::task<admin_reply> view();
  http::task<admin_reply> upstreams();
  http::task<admin_reply> explain(const admin_call& call);

  bridge& actors_;
  caf::actor pool_;
  caf::actor inventory_;
  front_words fronts_;
};

} // namespace troupe
