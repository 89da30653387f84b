#pragma once

#include "actors/core/key_health.hpp"
#include "actors/core/rate_watch.hpp"
#include "actors/core/slow_start.hpp"
#include "actors/key/key_load.hpp"
#include "actors/key/key_record.hpp"
#include "actors/key/shared_ledger.hpp"
#include "actors/key/shared_policy.hpp"
#include "actors/messages.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/secret.hpp"
#include "protocol/base/time.hpp"

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
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
  pool_policy policy;                  ///< at the pool's start
  std::shared_ptr<shared_policy> live; ///< filled in by the pool: `policy`, and what became of it
  /// A lease that nobody settles in this time is taken back. Longer than any call may take.
  duration lease_max = std::chrono::hours{1};
  duration save_every = std::chrono::seconds{5}; ///< of counts; what matters is saved at once
  duration disk_retry = std::chrono::seconds{1}; ///< after the disk took no allowance
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
  bool enabled = true; ///< false: an operator disabled it, whatever `past` says
  std::optional<storage::key_state_record> past;
  std::uint32_t restarts = 0;
  // What outlives a crash of the actor: the pool has it too.
  std::shared_ptr<shared_ledger> ledger;
  std::shared_ptr<key_load> load;
};

/// The key's quota domain from now on. Pool -> key actor, not answered.
struct take_ledger {
  using travels_locally = void;
  std::shared_ptr<shared_ledger> ledger;
};

/// Health of a key when its actor is born: what was stored, and the operator's word.
key_health health_at_birth(const key_seed& seed, const instants& t);

/// Owned by one key's actor.
///
/// It grants leases and takes their settlements, changes the key's health by the rules of
/// `core/key_health`, keeps to the limits of its quota domain, tells the pool whenever any of
/// that changes who may be chosen, and hands what has to be kept to the storage actor: throttles,
/// refusals and disablements at once, counts every few seconds, and allowances of limits before
/// they are used. Its only timer runs while there is something to save or a lease to watch;
/// rests need none.
class key_actor_state {
public:
  static constexpr const char* name = "key";
  using self_pointer = caf::stateful_actor<key_actor_state>*;

  explicit key_actor_state(self_pointer self) : self_(self) {}
  ~key_actor_state();
  key_actor_state(const key_actor_state&) = delete;
  key_actor_state& operator=(const key_actor_state&) = delete;

  caf::behavior start(std::shared_ptr<const key_actor_options> options, key_seed seed);

private:
  /// A request that waits until more is allowed on disk.
  struct pending {
    acquire_request request;
    caf::response_promise asker;
  };

  instants now() const;
  std::shared_ptr<const pool_policy> policy() const { return options_->live->get(); }

  caf::result<acquire_reply> acquire(acquire_request& request);
  bool may_begin(const acquire_request& request, const instants& t);
  void count_leases();
  acquire_reply grant(const acquire_request& request, std::uint64_t quota, const instants& t);
  void turn_away(acquire_request& request, const quota_verdict& v, const instants& t);
  void tell_place(const instants& t);
  void write_ahead(const instants& t);
  void write_ended(const std::shared_ptr<shared_ledger>& ledger);
  void tell_waiters(shared_ledger& ledger);
  void take_pending();
  void give_back(acquire_request& request, caf::response_promise& asker, const instants& t);
  void take_ledger_of(take_ledger& m);
  void leave();
  void learn(const settlement& s, const instants& t);
  void tell_rooms(shared_ledger& ledger, const instants& t, bool call_ended = false);
  void tell_standing(const instants& t, standing_report report = {});

  void settle(settlement& s);
  void end_quota(const key_lease& l, const settlement& s, const instants& t);
  void note_pace(const key_lease& l, const settlement& s, const health_effect& effect,
                 const instants& t);
  std::optional<key_lease> end_lease(std::uint64_t id);
  void leave_late(std::uint64_t lease);
  void count(const settlement& s, const instants& t);
  key_status obey(const key_command& command);
  key_status take_check(check_outcome& c);
  void take_identity(const pool_key& k);
  key_status status() const;
  void tick();
  void watch();
  void expire_leases(const instants& t);
  void apply(const health_effect& effect, const instants& t, standing_report report = {});
  void save(bool urgent, const instants& t);
  void log_change(const settlement& s, const health_effect& effect, const instants& t) const;

  self_pointer self_;
  std::shared_ptr<const key_actor_options> options_;
  std::uint64_t key_ = 0;
  std::string name_;
  secret secret_;
  std::uint32_t upstream_ = 0;
  key_health health_;
  slow_start pace_;
  time_point rested_at_{}; ///< when the last rest began
  key_tally tally_;
  std::shared_ptr<shared_ledger> ledger_;
  std::shared_ptr<key_load> load_;
  rate_watch watch_;
  std::vector<pending> pending_; ///< a deque would take its room before anybody waits
  bool leaving_ = false;
  std::uint64_t last_lease_ = 0;
  std::uint32_t restarts_ = 0;
  bool unsaved_ = false;
  bool watching_ = false; ///< a tick is on its way
};

caf::behavior key_actor(key_actor_state::self_pointer self,
                        std::shared_ptr<const key_actor_options> options, key_seed seed);

} // namespace troupe
