#pragma once

#include "actors/admin/admin_gate.hpp"
#include "actors/admin/credential_routes.hpp"
#include "actors/admin/key_routes.hpp"
#include "actors/admin/pool_routes.hpp"
#include "actors/admin/rest_routes.hpp"
#include "actors/admin/settings_routes.hpp"
#include "actors/bridge.hpp"
#include "actors/messages.hpp"
#include "actors/metrics.hpp"
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
  /// What is amiss although requests are taken, such as a full disk. Not given: nothing.
  std::function<std::vector<std::string>()> warnings{};
};

/// What an admin front is made of. `loop` is the bridge's.
struct admin_parts {
  http::event_loop& loop;
  bridge& actors;
  caf::actor pool;
  caf::actor storage;
  caf::actor inventory;
  job_board& jobs;
  find_upstream find; ///< for checks of keys
  node_view node;
  front_words fronts;
  std::shared_ptr<const admin_access> access;
  bool local_trust; ///< serves the node's own socket: whoever can open it is the operator
  std::function<wall_time()> wall;
  log_sink& log;
};

/// Answers on the admin port: docs/api/admin.md is what it keeps to. Decides who may ask what,
/// and leaves the answer to the routes. Runs on one loop.
class admin_front final : public http::server_handler {
public:
  static constexpr std::size_t body_bytes_max = 1024 * 1024;
  static constexpr std::size_t import_bytes_max = 32 * 1024 * 1024;

  explicit admin_front(admin_parts parts);

  int refusal_of(const http::request& head) override;
  http::task<void> serve(http::exchange& x) override;
  std::pair<http::response_head, std::string> refuse(const http::refusal& r) override;

  /// On the loop: who may come in from now on.
  void replace(std::shared_ptr<const admin_access> access) { gate_.replace(std::move(access)); }

  /// On the loop, before the bridge stops: ends a check of many keys.
  void stop() { keys_.stop(); }

private:
  http::task<admin_reply> answer_to(http::exchange& x);
  http::task<admin_reply> dispatch(const admin_call& call);
  http::task<admin_reply> metrics(const admin_call& call);
  admin_reply ready() const;

  bridge& actors_;
  caf::actor pool_;
  caf::actor storage_;
  node_view node_;
  admin_gate gate_;
  settings_routes settings_;
  key_routes keys_;
  pool_routes pools_;
  credential_routes credentials_;
  rest_routes rest_;
};

} // namespace troupe
