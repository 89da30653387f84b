#pragma once

#include "actors/core/key_health.hpp"
#include "actors/key/key_record.hpp"
#include "actors/key/shared_policy.hpp"
#include "actors/messages.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/secret.hpp"
#include "protocol/base/time.hpp"

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What all key actors of a pool share, read-only.
struct key_actor_options {
  health_policy policy;                ///< at the pool's start
  std::shared_ptr<shared_policy> live; ///< filled in by the pool: `policy`, and what became of it
  /// A lease that nobody settles in this time is taken back. Longer than any call may take.
  duration lease_max = std::chrono::hours{1};
  duration save_every = std::chrono::seconds{5}; ///< of counts; what matters is saved at once
  std::function<wall_time()> wall;
  log_sink* log = nullptr; ///< outlives the actors
  caf::actor pool;         ///< let go of when the key actor ends
  caf::actor storage;      ///< may be empty: nothing is kept
};

/// One key, as its actor is born with it.
struct key_seed {
  std::uint64_t key = 0;
  std::string name;
  secret secret_text;
  std::uint32_t upstream = 0;
  std::vector<std::string> groups{}; ///< for the pool
  bool enabled = true;               ///< false: an operator disabled it, whatever `past` says
  std::optional<storage::key_state_record> past;
  std::uint32_t restarts = 0;
};

/// Health of a key when its actor is born: what was stored, and the operator's word.
key_health health_at_birth(const key_seed& seed, const instants& t);

/// Owned by one key's actor.
///
/// It grants leases and takes their settlements, changes the key's health by the rules of
/// `core/key_health`, tells the pool whenever that changes who may be chosen, and hands what
/// has to be kept to the storage actor: throttles, refusals and disablements at once, counts
/// every few seconds. Its only timer runs while there is something to save or a lease to watch;
/// rests need none.
class key_actor_state {
public:
  static constexpr const char* name = "key";
  using self_pointer = caf::stateful_actor<key_actor_state>*;

  explicit key_actor_state(self_pointer self) : self_(self) {}

  caf::behavior start(std::shared_ptr<const key_actor_options> options, key_seed seed);

private:
  struct lease {
    std::uint64_t id;
    time_point granted;
  };

  instants now() const;
  health_policy policy() const;
  caf::result<acquire_reply> acquire(acquire_request& request);
  void settle(settlement& s);
  bool end_lease(std::uint64_t id);
  void count(const settlement& s, const instants& t);
  key_status obey(const key_command& command);
  key_status take_check(check_outcome& c);
  void take_identity(const pool_key& k);
  key_status status() const;
  void tick();
  void watch();
  void expire_leases(time_point now);
  void apply(const health_effect& effect, const instants& t);
  void save(bool urgent, const instants& t);
  void log_change(const settlement& s, const health_effect& effect, const instants& t) const;

  self_pointer self_;
  std::shared_ptr<const key_actor_options> options_;
  std::uint64_t key_ = 0;
  std::string name_;
  secret secret_;
  std::uint32_t upstream_ = 0;
  key_health health_;
  key_tally tally_;
  std::vector<lease> leases_; ///< in the order of their ids, which is that of granting
  std::uint64_t last_lease_ = 0;
  std::uint32_t restarts_ = 0;
  bool unsaved_ = false;
  bool watching_ = false; ///< a tick is on its way
};

caf::behavior key_actor(key_actor_state::self_pointer self,
                        std::shared_ptr<const key_actor_options> options, key_seed seed);

} // namespace troupe
