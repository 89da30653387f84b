#include "actors/cli/core/query.hpp"
#include "actors/cli/groups.hpp"
#include "actors/cli/pool_views.hpp"

#include <memory>

// What the pool and the upstreams are doing, and why a request went as it did.

namespace troupe::cli {

namespace {

/// Shows what the node answers on `path`.
template <class Draw>
int show_answer(session& s, std::string path, Draw draw) {
  const auto got = s.get(std::move(path));
  if (!got)
    return s.code();
  return s.show(got->body, [&](const look& l) { return draw(got->tree, l); });
}

} // namespace

void add_pool(command c) {
  c.runs([](session& s) { return show_answer(s, "/admin/v1/pool", &draw_pool); });
}

void add_upstreams(command c) {
  c.runs([](session& s) { return show_answer(s, "/admin/v1/upstreams", &draw_upstreams); });
}

void add_explain(command c) {
  auto id = std::make_shared<std::string>();
  c.argument("request_id", *id, "As the answer's field x-request-id and the log have it");
  c.runs([id](session& s) {
    return show_answer(s, "/admin/v1/requests/" + encoded_segment(*id) + "/explain",
                       [&](const config::node& request, const look& l) {
                         return draw_explained(request, l, s.now());
                       });
  });
}

} // namespace troupe::cli
