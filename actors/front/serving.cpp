#include "actors/front/serving.hpp"

#include <algorithm>

namespace troupe {

namespace {

bool reached_alike(const upstream_target& a, const upstream_target& b) {
  return a.number == b.number && a.where == b.where && a.client == b.client;
}

} // namespace

std::shared_ptr<const serving>
make_serving(http::event_loop& loop, std::shared_ptr<const front_config> config,
             const serving* before, std::shared_ptr<http::client_tally> tally, log_sink& log) {
  auto made = std::make_shared<serving>();
  for (const auto& target : config->upstreams) {
    if (before != nullptr) {
      const auto& old = before->config->upstreams;
      const auto same = std::ranges::find_if(
          old, [&](const upstream_target& t) { return reached_alike(t, target); });
      if (same != old.end()) {
        made->clients.push_back(before->clients[static_cast<std::size_t>(same - old.begin())]);
        continue;
      }
    }
    auto options = target.client;
    options.tally = tally;
    made->clients.push_back(http::client::make(loop, std::move(options), log));
  }
  std::vector<routing::upstream> upstreams;
  for (const auto& target : config->upstreams)
    upstreams.push_back({target.name, target.number, target.kind});
  made->routes = routing(config->models, upstreams);
  made->config = std::move(config);
  return made;
}

} // namespace troupe
