#pragma once

#include "actors/bridge.hpp"
#include "actors/messages.hpp"
#include "actors/metrics.hpp"
#include "http/core/credentials.hpp"
#include "http/server.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// What the admin port can ask of the node. Every function is called on the admin loop.
struct node_view {
  std::function<bool()> ready;            ///< takes requests: started and not draining
  std::function<std::string()> not_ready; ///< why not, for people
  std::function<metrics_facts()> facts;   ///< without the numbers of keys
  std::vector<const front_metrics*> fronts;
};

/// Answers on the admin port. `/healthz` (and `/health`) and `/readyz` are for anybody who
/// reaches the port; everything else wants an admin credential. Runs on one loop.
class admin_front final : public http::server_handler {
public:
  admin_front(bridge& actors, caf::actor pool, caf::actor storage, http::credential_set admins,
              node_view node, log_sink& log)
      : actors_(actors),
        pool_(std::move(pool)),
        storage_(std::move(storage)),
        admins_(std::move(admins)),
        node_(std::move(node)),
        log_(log) {}

  http::task<void> serve(http::exchange& x) override;
  std::pair<http::response_head, std::string> refuse(const http::refusal& r) override;

private:
  http::task<bool> healthz(http::exchange& x);
  http::task<bool> readyz(http::exchange& x);
  http::task<bool> metrics(http::exchange& x);
  http::task<bool> keys(http::exchange& x);
  http::task<bool> error(http::exchange& x, int status, std::string_view code,
                         std::string_view message, std::string_view fields = {});
  bool admitted(http::exchange& x);

  bridge& actors_;
  caf::actor pool_;
  caf::actor storage_;
  http::credential_set admins_;
  node_view node_;
  log_sink& log_;
};

} // namespace troupe
