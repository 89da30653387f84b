#pragma once

#include "actors/core/selection.hpp"
#include "actors/key/key_actor.hpp"
#include "actors/messages.hpp"
#include "storage/store.hpp"

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace troupe {

struct pool_options {
  key_actor_options keys;          ///< `pool` is filled in by the pool
  std::size_t models_max = 256;    ///< see `selection`
  std::size_t asked_at_once = 256; ///< key actors asked together for a list or a drain
};

/// Owned by the pool's actor.
///
/// The supervisor of the key actors. It chooses from its own picture of them
/// (`core/selection`) and passes the request on to the chosen one; it never waits for a key.
/// A key actor that crashes is born again from stored state, after 0, 1, 2, 4 ... 60 seconds,
/// so that a key whose state makes its actor crash costs next to nothing; a life of more than
/// a minute begins the series anew. Meanwhile the key counts as disabled.
class pool_actor_state {
public:
  static constexpr const char* name = "pool";
  using self_pointer = caf::stateful_actor<pool_actor_state>*;

  explicit pool_actor_state(self_pointer self) : self_(self) {}

  caf::behavior start(pool_options options, std::vector<key_seed> keys);

private:
  struct member {
    std::uint64_t key = 0; ///< 0: nobody stands in this slot
    std::string name;
    secret secret_text;
    std::uint32_t upstream = 0;
    bool enabled = true;
    caf::actor actor; ///< empty while it is being born again
    standing known;   ///< when it crashed
    // For lists, so that one of a hundred thousand keys wakes no actor.
    key_reason why = key_reason::none;
    bool shut = false;
    time_point rests_until{}; ///< the longest rest, of the key or a model
    time_point granted{};
    time_point born{};
    std::uint32_t restarts = 0;
    std::uint32_t crashes = 0; ///< in a row, each within a minute of its birth
  };
  struct round;
  struct farewell;

  time_point now() const { return self_->clock().now(); }
  caf::behavior behavior();

  caf::result<acquire_reply> acquire(acquire_request& request);
  caf::result<key_status> obey(key_command& command);
  caf::result<key_status> pass_on(check_outcome& c);
  caf::result<void> add(add_keys& wanted);
  caf::result<void> remove(const remove_keys& leaving);
  caf::result<std::vector<key_status>> list();
  caf::result<std::vector<key_status>> some(statuses_of& wanted);
  std::vector<key_brief> briefs() const;
  void note(member& m, const standing& s) const;
  void change(const change_policy& p);
  caf::result<void> drain();

  bool admit_key(key_seed seed);
  void welcome_back(key_seed seed, const std::shared_ptr<farewell>& whose);
  static void one_less(const std::shared_ptr<farewell>& whose);
  void give_birth(std::uint32_t slot, key_seed seed);
  void on_down(caf::down_msg& down);
  void revive(std::uint64_t key);
  void revive_with(std::uint64_t key, const std::string& record);
  key_status status_without_actor(const member& m) const;

  void ask_all(const std::shared_ptr<round>& r);
  void ask_next(const std::shared_ptr<round>& r);

  self_pointer self_;
  pool_options options_;
  std::shared_ptr<const key_actor_options> shared_;
  selection selection_;
  std::vector<member> members_; ///< by slot of `selection_`
  std::unordered_map<caf::actor_id, std::uint64_t> keys_of_;
  struct leaver {
    std::uint64_t key = 0;
    std::shared_ptr<farewell> whose;
    bool forget = true;
  };
  std::unordered_map<caf::actor_id, leaver> leaving_; ///< removed, not yet gone
  std::shared_ptr<round> listing_; ///< under way, shared by all who asked meanwhile
  bool draining_ = false;
};

caf::behavior pool_actor(pool_actor_state::self_pointer self, pool_options options,
                         std::vector<key_seed> keys);

/// What an operator decides of it.
struct pool_settings_for_actors {
  std::uint32_t strikes_max = 3;
  duration cooldown = std::chrono::seconds{60};
  duration cooldown_max = std::chrono::minutes{10};
};

/// The pool of a node, with the state that `store` has of its keys. What cannot be read there
/// is logged, and its key starts without a past. `log` outlives the pool.
caf::actor spawn_pool(caf::actor_system& system, const std::vector<pool_key>& keys,
                      const pool_settings_for_actors& settings, const caf::actor& storage,
                      const storage::store& store, log_sink& log);

} // namespace troupe
