#include "actors/key/pool_actor.hpp"
#include "actors/node_parts.hpp"
#include "storage/key_states.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <utility>

namespace troupe {
namespace {

std::vector<key_seed> seeds_of(const std::vector<pool_key>& keys, storage::key_states past) {
  std::vector<key_seed> seeds;
  seeds.reserve(keys.size());
  for (const auto& key : keys) {
    auto& seed = seeds.emplace_back();
    seed.key = key.key;
    seed.name = key.name;
    seed.secret_text = key.secret_text;
    seed.upstream = key.upstream;
    seed.groups = key.groups;
    seed.enabled = key.enabled;
    if (const auto known = past.of.find(key.key); known != past.of.end())
      seed.past = std::move(known->second);
  }
  return seeds;
}

storage::key_states past_of(const storage::store& store, log_sink& log) {
  auto past = storage::load_key_states(store);
  if (!past) {
    log.write(log_area::storage, log_level::error, {},
              "all keys start without a past: " + past.error().text);
    return {};
  }
  for (const auto& words : past->unreadable)
    log.write(log_area::storage, log_level::error, {}, words);
  return *std::move(past);
}

wall_time wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

} // namespace

caf::actor spawn_pool(caf::actor_system& system, const std::vector<pool_key>& keys,
                      const pool_settings_for_actors& settings, const caf::actor& storage,
                      const storage::store& store, log_sink& log) {
  pool_options options;
  options.keys.policy.strikes_max = settings.strikes_max;
  options.keys.policy.cooldown = settings.cooldown;
  options.keys.policy.cooldown_max = settings.cooldown_max;
  options.keys.wall = wall_now;
  options.keys.log = &log;
  options.keys.storage = storage;
  return system.spawn(pool_actor, std::move(options), seeds_of(keys, past_of(store, log)));
}

} // namespace troupe
