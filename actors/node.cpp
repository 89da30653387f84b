#include "actors/node.hpp"

#include "actors/admin/admin_front.hpp"
#include "actors/bridge.hpp"
#include "actors/front/front.hpp"
#include "actors/key/pool_actor.hpp"
#include "actors/node_credentials.hpp"
#include "actors/node_parts.hpp"
#include "actors/scheduling.hpp"
#include "actors/storage_actor.hpp"
#include "actors/version.hpp"
#include "storage/random.hpp"
#include "storage/store.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>
#include <utility>

namespace troupe {

namespace {

constexpr std::chrono::seconds farewell_max{10}; ///< for the pool and storage to store and end

/// Runs `work` on `loop` and waits for its end.
template <class Work>
void run_on(http::event_loop& loop, Work work) {
  std::promise<void> done;
  loop.post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

/// What belongs to one loop and is touched on it only.
struct loop_parts {
  http::event_loop* loop = nullptr;
  std::unique_ptr<bridge> door;
  std::vector<std::unique_ptr<http::client>> clients;
  front_metrics metrics;
  std::unique_ptr<front> serving;
};

class running_node final : public node {
public:
  explicit running_node(node_log& log) : log_(log) {}
  ~running_node() override { stop(); }

  result<void> begin(const settings& s);

  std::uint16_t port() const override { return clients_->port(); }
  std::uint16_t admin_port() const override { return admins_->port(); }
  std::size_t keys() const override { return keys_; }
  const std::optional<first_credentials>& made_credentials() const override { return made_; }
  void drain() override;
  bool wait_drained(duration limit) override { return clients_->wait_drained(limit); }
  bool stop() override;

private:
  result<void> begin_actors(const settings& s, const pool_plan& plan);
  void begin_fronts(std::shared_ptr<const front_config> config);
  result<void> begin_servers(const settings& s, http::credential_set admins);
  metrics_facts facts() const;
  void end_actors();

  node_log& log_;
  std::unique_ptr<storage::store> db_;
  std::unique_ptr<runtime> runtime_;
  caf::actor storage_;
  caf::actor pool_;
  std::vector<std::unique_ptr<loop_parts>> parts_;
  std::unique_ptr<admin_front> admin_;
  std::unique_ptr<http::server> clients_;
  std::unique_ptr<http::server> admins_;
  std::optional<first_credentials> made_;
  std::size_t keys_ = 0;
  bool stored_ = true; ///< everything that had to be, when the actors ended
  std::atomic<bool> draining_{false};
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

result<void> running_node::begin(const settings& s) {
  auto plan = plan_pool(s);
  if (!plan)
    return plan.error();
  for (const auto& warning : plan->warnings)
    log_.write(log_area::pool, log_level::warning, {}, warning);
  storage::store_options options;
  options.directory = s.data_dir;
  auto db = storage::store::open(options);
  if (!db)
    return db.error();
  db_ = *std::move(db);
  auto credentials = prepare_credentials(s.credentials, *db_);
  if (!credentials)
    return credentials.error();
  made_ = std::move(credentials->made);
  if (auto begun = begin_actors(s, *plan); !begun)
    return begun;

  auto config = std::make_shared<front_config>();
  config->translation = s.translation;
  config->upstreams = std::move(plan->upstreams);
  config->upstream_by_key = std::move(plan->upstream_by_key);
  config->clients = std::move(credentials->clients);
  config->pool = s.pool;
  config->cors = s.cors;
  config->models = s.models;
  config->real_models = built_in_models();
  config->real_models.insert(s.models.known.begin(), s.models.known.end());
  begin_fronts(std::move(config));
  return begin_servers(s, std::move(credentials->admins));
}

result<void> running_node::begin_actors(const settings& s, const pool_plan& plan) {
  const auto loops =
      s.loops != 0 ? s.loops : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  auto started = runtime::start(s.scheduler, loops);
  if (!started)
    return started.error();
  runtime_ = *std::move(started);
  auto& system = runtime_->system();
  storage_ = spawn_storage(system, *db_, log_);
  pool_settings_for_actors pool_options;
  pool_options.strikes_max = s.pool.strikes_max;
  pool_options.cooldown = s.pool.cooldown;
  pool_options.cooldown_max = s.pool.cooldown_max;
  pool_ = spawn_pool(system, plan.keys, pool_options, storage_, *db_, log_);
  keys_ = plan.keys.size();
  return {};
}

void running_node::begin_fronts(std::shared_ptr<const front_config> config) {
  for (auto* loop : runtime_->loops()) {
    auto parts = std::make_unique<loop_parts>();
    parts->loop = loop;
    parts->door = std::make_unique<bridge>(*loop, runtime_->system(), log_);
    run_on(*loop, [&] {
      for (const auto& upstream : config->upstreams)
        parts->clients.push_back(http::client::make(*loop, upstream.client, log_));
    });
    std::vector<http::client*> clients;
    for (const auto& client : parts->clients)
      clients.push_back(client.get());
    parts->serving = std::make_unique<front>(attempts::parts{*loop, *parts->door, pool_, config,
                                                             std::move(clients), parts->metrics,
                                                             log_, storage::random_number()},
                                             draining_);
    parts_.push_back(std::move(parts));
  }
}

result<void> running_node::begin_servers(const settings& s, http::credential_set admins) {
  node_view view;
  view.ready = [this] { return !draining_.load(std::memory_order_relaxed) && keys_ != 0; };
  view.not_ready = [this] {
    return std::string{draining_ ? "this node is draining" : "no upstream key is configured"};
  };
  view.facts = [this] { return facts(); };
  std::vector<http::event_loop*> loops;
  std::vector<http::server_handler*> fronts;
  for (const auto& parts : parts_) {
    view.fronts.push_back(&parts->metrics);
    loops.push_back(parts->loop);
    fronts.push_back(parts->serving.get());
  }
  admin_ = std::make_unique<admin_front>(*parts_.front()->door, pool_, storage_, std::move(admins),
                                         std::move(view), log_);
  auto admin = http::server::start(admin_server_options(s), log_, {loops.front()}, {admin_.get()});
  if (!admin)
    return failure{admin.error().code, "admin port: " + admin.error().text};
  admins_ = *std::move(admin);
  auto clients = http::server::start(client_server_options(s), log_, loops, fronts);
  if (!clients)
    return clients.error();
  clients_ = *std::move(clients);
  return {};
}

metrics_facts running_node::facts() const {
  metrics_facts f;
  f.version = version;
  f.ready = !draining_.load(std::memory_order_relaxed) && keys_ != 0;
  f.uptime_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  const auto served = clients_->counters();
  f.client_connections_open = served.connections_open;
  f.client_connections_total = served.connections_accepted;
  f.client_connections_refused = served.connections_refused;
  f.requests_refused = served.requests_refused;
  for (const auto& parts : parts_)
    for (const auto& client : parts->clients) {
      const auto c = client->counters();
      f.upstream_connections_open += c.connections_open;
      f.upstream_connections_total += c.connections_made;
    }
  f.log_lines_dropped = log_.counters().dropped;
  f.log_lines_failed = log_.counters().failed;
  return f;
}

void running_node::drain() {
  draining_ = true;
  clients_->drain();
}

bool running_node::stop() {
  draining_ = true;
  if (clients_)
    clients_->stop();
  if (admins_)
    admins_->stop();
  clients_.reset();
  admins_.reset();
  for (const auto& parts : parts_)
    run_on(*parts->loop, [&] {
      for (const auto& client : parts->clients)
        client->stop();
    });
  end_actors();
  for (const auto& parts : parts_)
    run_on(*parts->loop, [&] {
      parts->serving.reset();
      parts->clients.clear();
    });
  for (const auto& parts : parts_)
    parts->door->stop();
  admin_.reset();
  parts_.clear();
  if (runtime_)
    runtime_->stop();
  runtime_.reset();
  db_.reset();
  return stored_;
}

void running_node::end_actors() {
  if (!runtime_)
    return;
  {
    caf::scoped_actor self{runtime_->system()};
    const auto finished = [] {};
    const auto failed = [this](const caf::error&) { stored_ = false; };
    if (pool_)
      self->request(pool_, farewell_max, drain_atom::value).receive(finished, failed);
    if (storage_)
      self->request(storage_, farewell_max, flush_atom::value).receive(finished, failed);
    if (storage_)
      self->request(storage_, farewell_max, status_atom::value)
          .receive([this](const storage_status& s) { stored_ = stored_ && s.pending == 0; },
                   failed);
  }
  if (!stored_)
    log_.write(log_area::storage, log_level::error, {},
               "the last state of the keys could not be stored: is the disk full?");
  if (pool_)
    caf::anon_send_exit(pool_, caf::exit_reason::user_shutdown);
  if (storage_)
    caf::anon_send_exit(storage_, caf::exit_reason::user_shutdown);
  pool_ = nullptr;
  storage_ = nullptr;
}

} // namespace

result<std::unique_ptr<node>> node::start(const settings& s, node_log& log) {
  auto n = std::make_unique<running_node>(log);
  if (auto begun = n->begin(s); !begun)
    return begun.error();
  return std::unique_ptr<node>{std::move(n)};
}

} // namespace troupe
