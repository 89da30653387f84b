#include "actors/node.hpp"

#include "actors/bridge.hpp"
#include "actors/front/front.hpp"
#include "actors/inventory/inventory_actor.hpp"
#include "actors/key/pool_actor.hpp"
#include "actors/node_admin.hpp"
#include "actors/node_data.hpp"
#include "actors/node_farewell.hpp"
#include "actors/node_fronts.hpp"
#include "actors/node_parts.hpp"
#include "actors/recheck_run.hpp"
#include "actors/scheduling.hpp"
#include "actors/storage_actor.hpp"
#include "actors/time_zone.hpp"
#include "actors/version.hpp"
#include "storage/random.hpp"
#include "storage/store.hpp"

#include <caf/actor_system.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe {

namespace {

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

std::shared_ptr<const admin_access> access_of(const credential_table& all) {
  auto access = std::make_shared<admin_access>();
  access->set = all.admins();
  return access;
}

/// What belongs to one loop and is touched on it only.
struct loop_parts {
  http::event_loop* loop = nullptr;
  std::unique_ptr<bridge> door;
  front_metrics metrics;
  std::shared_ptr<http::client_tally> tally = std::make_shared<http::client_tally>();
  std::unique_ptr<front> serving;
};

class running_node final : public node {
public:
  explicit running_node(node_log& log) : log_(log) {}
  ~running_node() override { stop(); }

  result<void> begin(const config_sources& sources, const settings& first);

  std::uint16_t port() const override { return clients_->port(); }
  std::uint16_t admin_port() const override { return admin_->port(); }
  std::size_t keys() const override { return keys_; }
  std::shared_ptr<const loaded_settings> settings_now() const override;
  const std::optional<first_credentials>& made_credentials() const { return made_; }
  void drain() override;
  bool wait_drained(duration limit) override { return clients_->wait_drained(limit); }
  bool stop() override;

private:
  result<void> begin_actors(const settings& s);
  result<void> begin_fronts(const settings& s);
  result<void> begin_servers(const settings& s);
  void use_settings(const loaded_settings& loaded);
  void use_credentials(const credential_table& all);
  std::optional<upstream_reach> reach_of(const std::string& name) const;
  std::string name_of(std::uint32_t upstream) const;
  void replace_config(std::shared_ptr<const front_config> config);
  result<std::shared_ptr<const front_config>> config_of(const settings& s);
  metrics_facts facts() const;
  std::string why_not_ready() const;
  std::vector<std::string> warnings() const;
  void begin_rechecks();

  node_log& log_;
  job_board jobs_{wall_now};
  node_data data_;
  std::unique_ptr<runtime> runtime_;
  caf::actor storage_;
  caf::actor pool_;
  caf::actor inventory_;
  std::vector<std::unique_ptr<loop_parts>> parts_;
  std::shared_ptr<breaker_board> breakers_ = std::make_shared<breaker_board>();
  std::shared_ptr<explain_board> explained_ = std::make_shared<explain_board>();
  std::shared_ptr<resource_book> resources_;
  std::shared_ptr<pool_gauges> gauges_ = std::make_shared<pool_gauges>();
  std::shared_ptr<const front_config> config_; ///< changed by the inventory's thread alone
  std::unique_ptr<recheck_run> rechecks_;      ///< of the first loop
  std::unique_ptr<admin_doors> admin_;
  std::unique_ptr<http::server> clients_;
  std::optional<first_credentials> made_;
  mutable std::mutex settings_access_;
  std::shared_ptr<const loaded_settings> settings_;
  bool stored_ = true; ///< everything that had to be, when the actors ended
  std::atomic<bool> draining_{false};
  std::atomic<std::size_t> keys_{0};
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

result<void> running_node::begin(const config_sources& sources, const settings& first) {
  auto opened = open_node_data(sources, first, jobs_, log_);
  if (!opened)
    return opened.error();
  data_ = *std::move(opened);
  if (const auto& made = data_.tables->made())
    made_ = first_credentials{made->client, made->admin};
  const auto loaded = data_.tables->settings().loaded();
  settings_ = loaded;
  const auto& s = loaded->values;
  log_.levels(s.log.levels);
  if (auto begun = begin_actors(s); !begun)
    return begun;
  if (auto begun = begin_fronts(s); !begun)
    return begun;
  return begin_servers(s);
}

result<void> running_node::begin_actors(const settings& s) {
  const auto loops =
      s.loops != 0 ? s.loops : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  auto started = runtime::start(s.scheduler, loops);
  if (!started)
    return started.error();
  runtime_ = *std::move(started);
  auto& system = runtime_->system();
  auto days = read_zone(s.pool.day_zone, wall_now());
  if (!days)
    return days.error();
  storage_ = spawn_storage(system, *data_.db, log_);
  resources_ = std::make_shared<resource_book>(storage_);
  const auto now_ms = wall_now().time_since_epoch().count();
  if (auto restored = restore_resources(*resources_, *data_.db, log_, now_ms); !restored)
    log_.write(log_area::storage, log_level::error, {}, restored.error().text);
  const auto& keys = data_.tables->keys();
  keys_ = keys.size();
  pool_ = spawn_pool(system, keys.pool_keys(), pool_policy_of(s, *std::move(days)),
                     data_.tables->credentials().limits(), storage_, *data_.db, log_, gauges_);
  return {};
}

result<std::shared_ptr<const front_config>> running_node::config_of(const settings& s) {
  breakers_->change_policy(s.breaker.enabled, breaker_policy_of(s.breaker));
  return front_config_of(s, data_.tables->numbers(), data_.tables->credentials().clients());
}

result<void> running_node::begin_fronts(const settings& s) {
  auto config = config_of(s);
  if (!config)
    return config.error();
  config_ = *std::move(config);
  for (auto* loop : runtime_->loops()) {
    auto parts = std::make_unique<loop_parts>();
    parts->loop = loop;
    parts->door = std::make_unique<bridge>(*loop, runtime_->system(), log_);
    run_on(*loop, [&] {
      parts->serving = std::make_unique<front>(
          attempts::parts{*loop, *parts->door, pool_, parts->metrics, log_,
                          storage::random_number(), breakers_, explained_, gauges_, resources_},
          make_serving(*loop, config_, nullptr, parts->tally, log_), draining_);
    });
    parts_.push_back(std::move(parts));
  }
  return {};
}

result<void> running_node::begin_servers(const settings& s) {
  std::vector<http::event_loop*> loops;
  std::vector<http::server_handler*> fronts;
  for (const auto& parts : parts_) {
    loops.push_back(parts->loop);
    fronts.push_back(parts->serving.get());
  }
  inventory_reach reach;
  reach.pool = pool_;
  reach.storage = storage_;
  reach.use_settings = [this](const loaded_settings& l) { use_settings(l); };
  reach.use_credentials = [this](const credential_table& all) { use_credentials(all); };
  reach.keys_are = [this](std::size_t count) { keys_ = count; };
  inventory_ = spawn_inventory(runtime_->system(), *data_.tables, std::move(reach), log_);
  begin_rechecks();
  node_view view;
  view.ready = [this] { return why_not_ready().empty(); };
  view.not_ready = [this] { return why_not_ready(); };
  view.facts = [this] { return facts(); };
  for (const auto& parts : parts_)
    view.fronts.push_back(&parts->metrics);
  view.warnings = [this] { return warnings(); };
  const admin_parts admin_side{
      *loops.front(),
      *parts_.front()->door,
      pool_,
      storage_,
      inventory_,
      jobs_,
      [this](const std::string& name) { return reach_of(name); },
      std::move(view),
      words_of({breakers_, explained_, *loops.front(), *parts_.front()->door, pool_,
                [this](std::uint32_t n) { return name_of(n); }, wall_now}),
      access_of(data_.tables->credentials()),
      false,
      wall_now,
      log_};
  admin_ = std::make_unique<admin_doors>(admin_side);
  auto clients = http::server::start(client_server_options(s), log_, loops, fronts);
  if (!clients)
    return clients.error();
  clients_ = *std::move(clients);
  return admin_->listen(s, *loops.front(), log_); // last: it looks at all of the above
}

void running_node::begin_rechecks() {
  auto& first = *parts_.front();
  run_on(*first.loop, [&] {
    auto checker = std::make_shared<key_checker>(
        *first.door, inventory_, [this](const std::string& name) { return reach_of(name); },
        *first.loop, wall_now);
    rechecks_ = std::make_unique<recheck_run>(*first.door, pool_, std::move(checker), log_);
    rechecks_->begin();
  });
}

/// For checks of keys, on the first loop.
std::optional<upstream_reach> running_node::reach_of(const std::string& name) const {
  const auto& with = parts_.front()->serving->current();
  for (std::size_t i = 0; i < with.config->upstreams.size(); ++i)
    if (with.config->upstreams[i].name == name)
      return upstream_reach{with.clients[i], with.config->upstreams[i]};
  return std::nullopt;
}

/// For people, on the first loop.
std::string running_node::name_of(std::uint32_t upstream) const {
  const auto& config = *parts_.front()->serving->current().config;
  const auto at = config.index_of(upstream);
  return at ? config.upstreams[*at].name : std::string{};
}

void running_node::use_settings(const loaded_settings& loaded) {
  {
    const std::lock_guard lock(settings_access_);
    settings_ = std::make_shared<const loaded_settings>(loaded);
  }
  log_.levels(loaded.values.log.levels);
  auto config = config_of(loaded.values);
  if (!config) {
    // It was checked before it was stored; whatever this is, the old configuration goes on.
    log_.write(log_area::http, log_level::error, {},
               "settings not applied: " + config.error().text);
    return;
  }
  breakers_->change_policy(loaded.values.breaker.enabled, breaker_policy_of(loaded.values.breaker));
  auto next = std::make_shared<front_config>(**config);
  next->edition = config_->edition + 1;
  replace_config(std::move(next));
}

void running_node::use_credentials(const credential_table& all) {
  auto next = std::make_shared<front_config>(*config_);
  next->clients = all.clients();
  replace_config(std::move(next));
  run_on(*parts_.front()->loop, [&] { admin_->replace(access_of(all)); });
}

void running_node::replace_config(std::shared_ptr<const front_config> config) {
  config_ = std::move(config);
  for (const auto& parts : parts_)
    run_on(*parts->loop, [&] {
      auto& front = *parts->serving;
      front.replace(make_serving(*parts->loop, config_, &front.current(), parts->tally, log_));
    });
}

std::shared_ptr<const loaded_settings> running_node::settings_now() const {
  const std::lock_guard lock(settings_access_);
  return settings_;
}

metrics_facts running_node::facts() const {
  metrics_facts f;
  f.version = version;
  f.ready = why_not_ready().empty();
  f.uptime_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  const auto served = clients_->counters();
  f.client_connections_open = served.connections_open;
  f.client_connections_total = served.connections_accepted;
  f.client_connections_refused = served.connections_refused;
  f.requests_refused = served.requests_refused;
  for (const auto& parts : parts_) {
    const auto c = parts->tally->now();
    f.upstream_connections_open += c.connections_open;
    f.upstream_connections_total += c.connections_made;
  }
  f.pool = gauges_.get();
  const auto& upstreams = parts_.front()->serving->current().config->upstreams; // of this loop
  for (const auto& b : breakers_->view(std::chrono::steady_clock::now()))
    if (const auto at = std::ranges::find(upstreams, b.upstream, &upstream_target::number);
        b.model.empty() && at != upstreams.end())
      f.breakers.push_back(
          {at->name, b.now.state == breaker_state::open, b.now.state == breaker_state::half_open});
  f.log_lines_dropped = log_.counters().dropped;
  f.log_lines_failed = log_.counters().failed;
  return f;
}

std::string running_node::why_not_ready() const {
  if (draining_.load(std::memory_order_relaxed))
    return "this node is draining";
  return keys_.load(std::memory_order_relaxed) != 0 ? "" : "there is no upstream key";
}

/// What an operator should look at although requests are served.
std::vector<std::string> running_node::warnings() const {
  auto list = data_.db->damage();
  if (auto trouble = data_.db->trouble(); !trouble.empty())
    list.push_back(std::move(trouble));
  if (!admin_->problem().empty())
    list.push_back(admin_->problem());
  return list;
}

void running_node::drain() {
  draining_ = true;
  clients_->drain();
}

bool running_node::stop() {
  draining_ = true;
  if (clients_)
    clients_->stop();
  if (admin_) {
    admin_->close();
    run_on(*parts_.front()->loop, [this] { admin_->end_work(); });
  }
  if (rechecks_)
    run_on(*parts_.front()->loop, [this] { rechecks_.reset(); });
  for (const auto& parts : parts_)
    run_on(*parts->loop, [&] {
      for (const auto& client : parts->serving->current().clients)
        client->stop();
    });
  clients_.reset(); // the admin side looks at its counters
  if (data_.db)
    data_.db->stop_backups();
  if (runtime_) {
    stored_ = end_actors(runtime_->system(), {inventory_, pool_, storage_}, log_);
    inventory_ = pool_ = storage_ = nullptr;
  }
  for (const auto& parts : parts_)
    run_on(*parts->loop, [&] { parts->serving.reset(); });
  for (const auto& parts : parts_)
    parts->door->stop();
  admin_.reset();
  parts_.clear();
  resources_.reset(); // it holds the storage actor
  if (runtime_)
    runtime_->stop();
  runtime_.reset();
  data_.tables.reset();
  data_.db.reset();
  return stored_;
}

} // namespace

result<std::unique_ptr<node>> node::start(const config_sources& sources, const settings& first,
                                          node_log& log, first_credentials& made) {
  auto n = std::make_unique<running_node>(log);
  auto begun = n->begin(sources, first);
  made = n->made_credentials().value_or(first_credentials{});
  if (!begun)
    return begun.error();
  return std::unique_ptr<node>{std::move(n)};
}

} // namespace troupe
