#include "actors/key/pool_actor.hpp"
#include "actors/key/quota_words.hpp"
#include "storage/core/quota_item.hpp"
#include "storage/key_states.hpp"
#include "storage/random.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <utility>

namespace troupe {
namespace {

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

caf::actor spawn_pool(caf::actor_system& system, std::vector<pool_key> keys, pool_policy policy,
                      limits_of_credentials credentials, const caf::actor& storage,
                      const storage::store& store, log_sink& log,
                      std::shared_ptr<pool_gauges> gauges) {
  pool_options options;
  options.keys.policy = std::move(policy);
  options.keys.wall = wall_now;
  options.keys.log = &log;
  options.keys.storage = storage;
  options.seed = storage::random_number();
  options.credentials = std::move(credentials);
  options.gauges = std::move(gauges);
  auto past = past_of(store, log);
  options.quotas = std::move(past.quotas);
  std::vector<pool_seed> seeds;
  seeds.reserve(keys.size());
  for (auto& key : keys) {
    const auto known = past.of.find(key.key);
    seeds.push_back({std::move(key), known == past.of.end()
                                         ? std::nullopt
                                         : std::optional{std::move(known->second)}});
  }
  return system.spawn(pool_actor, std::move(options), std::move(seeds));
}

} // namespace troupe
