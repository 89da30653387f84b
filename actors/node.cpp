#include "actors/node.hpp"

#include "actors/bridge.hpp"
#include "actors/front/front.hpp"
#include "actors/inventory/inventory_actor.hpp"
#include "actors/key/pool_actor.hpp"
#include "actors/node_admin.hpp"
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
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
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

wall_time wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

storage::master_key_source master_key_of(const config_sources& sources, const settings& s) {
  const auto variable = [&](const char* name) {
    const auto at = sources.environment.find(name);
    return at == sources.environment.end() ? secret{} : secret{at->second};
  };
  storage::master_key_source from;
  from.from_environment = variable("TROUPE_MASTER_KEY");
  from.previous = variable("TROUPE_MASTER_KEY_PREVIOUS");
  from.file = s.master_key_file.empty() ? s.data_dir + "/master.key" : s.master_key_file;
  return from;
}

std::shared_ptr<const admin_access> access_of(const credential_table& all) {
  auto access = std::make_shared<admin_access>();
  access->set = all.admins();
  return access;
}

/// Files of keys are read once: a change of settings must not fail because one is gone by then.
config_sources reading_once(config_sources sources) {
  auto known = std::make_shared<std::map<std::string, result<std::string>>>();
  sources.read_file = [known, read = std::move(sources.read_file)](const std::string& path) {
    if (const auto at = known->find(path); at != known->end())
      return at->second;
    auto text = read ? read(path) : failure{errc::not_found, path};
    if (text)
      known->emplace(path, text);
    return text;
  };
  return sources;
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
  result<void> open_data(const config_sources& sources, const settings& first);
  result<void> begin_actors(const settings& s);
  result<void> begin_fronts(const settings& s);
  result<void> begin_servers(const settings& s);
  void use_settings(const loaded_settings& loaded, upstream_kind kind);
  void use_credentials(const credential_table& all);
  std::optional<upstream_reach> reach_of(const std::string& name) const;
  void replace_config(std::shared_ptr<const front_config> config);
  result<std::shared_ptr<const front_config>> config_of(const settings& s, upstream_kind kind);
  metrics_facts facts() const;
  std::string why_not_ready() const;
  std::vector<std::string> warnings() const;
  void end_actors();

  node_log& log_;
  job_board jobs_{wall_now};
  std::unique_ptr<storage::store> db_;
  std::unique_ptr<troupe::inventory> tables_;
  std::unique_ptr<runtime> runtime_;
  caf::actor storage_;
  caf::actor pool_;
  caf::actor inventory_;
  std::vector<std::unique_ptr<loop_parts>> parts_;
  std::shared_ptr<const front_config> config_; ///< changed by the inventory's thread alone
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
  if (auto opened = open_data(sources, first); !opened)
    return opened;
  const auto loaded = tables_->settings().loaded();
  settings_ = loaded;
  const auto& s = loaded->values;
  log_.levels(s.log.levels);
  if (auto begun = begin_actors(s); !begun)
    return begun;
  if (auto begun = begin_fronts(s); !begun)
    return begun;
  return begin_servers(s);
}

result<void> running_node::open_data(const config_sources& sources, const settings& first) {
  storage::store_options options;
  options.directory = first.data_dir;
  auto db = storage::store::open(options);
  if (!db)
    return db.error();
  db_ = *std::move(db);
  std::error_code ignored; // of a restore that was cut off
  std::filesystem::remove_all(first.data_dir + "/restore.tmp", ignored);
  for (const auto& words : db_->damage())
    log_.write(log_area::storage, log_level::error, {}, words);
  const auto master = master_key_of(sources, first);
  auto vault = storage::vault::open(*db_, master);
  if (!vault)
    return vault.error();
  for (const auto& words : (*vault)->notes())
    log_.write(log_area::security, log_level::warning, {}, words);
  std::vector<std::string> warnings;
  auto tables = inventory::open({*db_, *std::move(vault), master, reading_once(sources), wall_now,
                                 jobs_, log_, first.data_dir},
                                warnings);
  if (!tables)
    return tables.error();
  tables_ = *std::move(tables);
  for (const auto& words : warnings)
    log_.write(log_area::storage, log_level::warning, {}, words);
  if (const auto& made = tables_->made())
    made_ = first_credentials{made->client, made->admin};
  return {};
}

result<void> running_node::begin_actors(const settings& s) {
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
  keys_ = tables_->keys().size();
  pool_ = spawn_pool(system, tables_->keys().pool_keys(), pool_options, storage_, *db_, log_);
  return {};
}

result<std::shared_ptr<const front_config>> running_node::config_of(const settings& s,
                                                                    upstream_kind kind) {
  return front_config_of(s, kind, tables_->numbers(), tables_->credentials().clients());
}

result<void> running_node::begin_fronts(const settings& s) {
  auto config = config_of(s, tables_->keys().served_kind());
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
                          storage::random_number()},
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
  reach.use_settings = [this](const loaded_settings& l, upstream_kind k) { use_settings(l, k); };
  reach.use_credentials = [this](const credential_table& all) { use_credentials(all); };
  reach.keys_are = [this](std::size_t count) { keys_ = count; };
  inventory_ = spawn_inventory(runtime_->system(), *tables_, std::move(reach), log_);
  node_view view;
  view.ready = [this] { return why_not_ready().empty(); };
  view.not_ready = [this] { return why_not_ready(); };
  view.facts = [this] { return facts(); };
  for (const auto& parts : parts_)
    view.fronts.push_back(&parts->metrics);
  const auto find = [this](const std::string& name) { return reach_of(name); };
  view.warnings = [this] { return warnings(); };
  const admin_parts admin_side{*loops.front(),
                               *parts_.front()->door,
                               pool_,
                               storage_,
                               inventory_,
                               jobs_,
                               find,
                               std::move(view),
                               access_of(tables_->credentials()),
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

/// For checks of keys, on the first loop.
std::optional<upstream_reach> running_node::reach_of(const std::string& name) const {
  const auto& with = parts_.front()->serving->current();
  for (std::size_t i = 0; i < with.config->upstreams.size(); ++i)
    if (with.config->upstreams[i].name == name)
      return upstream_reach{with.clients[i], with.config->upstreams[i]};
  return std::nullopt;
}

void running_node::use_settings(const loaded_settings& loaded, upstream_kind kind) {
  {
    const std::lock_guard lock(settings_access_);
    settings_ = std::make_shared<const loaded_settings>(loaded);
  }
  log_.levels(loaded.values.log.levels);
  auto config = config_of(loaded.values, kind);
  if (!config) {
    // It was checked before it was stored; whatever this is, the old configuration goes on.
    log_.write(log_area::http, log_level::error, {},
               "settings not applied: " + config.error().text);
    return;
  }
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
  auto list = db_->damage();
  if (auto trouble = db_->trouble(); !trouble.empty())
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
  for (const auto& parts : parts_)
    run_on(*parts->loop, [&] {
      for (const auto& client : parts->serving->current().clients)
        client->stop();
    });
  clients_.reset(); // the admin side looks at its counters
  if (db_)
    db_->stop_backups();
  end_actors();
  for (const auto& parts : parts_)
    run_on(*parts->loop, [&] { parts->serving.reset(); });
  for (const auto& parts : parts_)
    parts->door->stop();
  admin_.reset();
  parts_.clear();
  if (runtime_)
    runtime_->stop();
  runtime_.reset();
  tables_.reset();
  db_.reset();
  return stored_;
}

void running_node::end_actors() {
  if (!runtime_)
    return;
  {
    caf::scoped_actor self{runtime_->system()};
    const auto finished = [] {};
    if (inventory_) {
      // First: it waits for the others, and takes no new work after this.
      self->monitor(inventory_);
      self->send_exit(inventory_, caf::exit_reason::user_shutdown);
      self->receive([](const caf::down_msg&) {});
      inventory_ = nullptr;
    }
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
