#include "actors/admin/pool_routes.hpp"

#include "actors/admin/asking.hpp"

#include <optional>
#include <string>

namespace troupe {

http::task<admin_reply> pool_routes::serve(const admin_call& call) {
  if (auto problems = nothing_given(call); !problems.empty())
    co_return invalid_request(std::move(problems));
  switch (call.route.what) {
  case admin_path::upstreams:
    co_return co_await upstreams();
  case admin_path::request_explain:
    co_return co_await explain(call);
  default:
    co_return co_await view();
  }
}

http::task<admin_reply> pool_routes::view() {
  const auto got = co_await actors_.ask<pool_view>(pool_, pool_view_atom::value);
  if (!got)
    co_return admin_error("unavailable", "The node is stopping.");
  co_return admin_reply(pool_document(*got));
}

http::task<admin_reply> pool_routes::upstreams() {
  const auto got =
      co_await actors_.ask<answer<std::vector<upstream_view>>>(inventory_, list_upstreams());
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  const auto breakers = fronts_.breakers ? fronts_.breakers() : std::vector<breaker_shown>{};
  co_return admin_reply(upstreams_document(got->yes, breakers));
}

http::task<admin_reply> pool_routes::explain(const admin_call& call) {
  std::optional<explained_request> found;
  if (fronts_.explain) {
    auto id = call.route.text;
    found = co_await fronts_.explain(std::move(id));
  }
  if (!found)
    co_return admin_error("not_found",
                          "There is no such request; only recent ones are remembered.");
  co_return admin_reply(explain_document(*found));
}

} // namespace troupe
