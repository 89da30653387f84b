#pragma once

#include "actors/core/egress.hpp"
#include "actors/core/recheck.hpp"
#include "actors/core/selection.hpp"
#include "actors/core/sharing_watch.hpp"
#include "actors/core/waiting_room.hpp"
#include "actors/key/choice_log.hpp"
#include "actors/key/key_actor.hpp"
#include "actors/key/pool_gauges.hpp"
#include "actors/messages.hpp"
#include "protocol/base/quota_record.hpp"
#include "storage/store.hpp"

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

struct pool_options {
  key_actor_options keys;          ///< `pool` is filled in by the pool
  std::size_t models_max = 256;    ///< see `selection`
  std::size_t asked_at_once = 256; ///< key actors asked together for a list or a drain
  std::size_t explained_max = 4'096;
  std::uint64_t seed = 1; ///< of jitter
  limits_of_credentials credentials;
  std::map<std::string, quota_record> quotas; ///< what is kept of ledgers, by row
  std::shared_ptr<pool_gauges> gauges = std::make_shared<pool_gauges>();
};

/// A key as it comes to the pool, with its past.
struct pool_seed {
  pool_key key;
  std::optional<storage::key_state_record> past;
};

/// Owned by the pool's actor.
///
/// The supervisor of the key actors. It chooses from its own picture of them
/// (`core/selection`) and passes the request on to the chosen one; it never waits for a key.
/// When every key that may serve rests for a short while, the request waits here
/// (`core/waiting_room`), and each report of a key wakes as many as it has room for.
///
/// A key actor that crashes is born again from stored state, after 0, 1, 2, 4 ... 60 seconds,
/// so that a key whose state makes its actor crash costs next to nothing; a life of more than
/// a minute begins the series anew. Meanwhile the key counts as disabled. Ledgers of quota
/// domains are the pool's, so a crash forgets nothing that was used.
class pool_actor_state {
public:
  static constexpr const char* name = "pool";
  using self_pointer = caf::stateful_actor<pool_actor_state>*;

  explicit pool_actor_state(self_pointer self) : self_(self) {}

  caf::behavior start(pool_options options, std::vector<pool_seed> keys);

private:
  using ledger_pointer = std::shared_ptr<shared_ledger>;

  struct member {
    std::uint64_t key = 0; ///< 0: nobody stands in this slot
    std::string name;
    secret secret_text;
    std::uint32_t upstream = 0;
    bool enabled = true;
    std::vector<limit> limits;
    std::uint64_t own_proxy = direct_egress;
    caf::actor actor; ///< empty while it is being born again
    ledger_pointer ledger;
    std::shared_ptr<key_load> load;
    standing known; ///< when it crashed
    // For lists, so that one of a hundred thousand keys wakes no actor.
    key_reason why = key_reason::none;
    bool shut = false;
    time_point rests_until{}; ///< the longest rest, of the key or a model
    time_point granted{};
    time_point born{};
    std::uint32_t restarts = 0;
    std::uint32_t crashes = 0; ///< in a row, each within a minute of its birth
  };
  /// A quota domain with a name.
  struct domain {
    ledger_pointer ledger;
    std::vector<std::uint64_t> keys;
  };
  struct waiting {
    acquire_request request;
    caf::response_promise asker;
    std::vector<turned_away> turned;
    time_point since{};
    time_point deadline{};
    time_point look_again_at = time_point::max(); ///< at keys that wait for the end of a call
  };
  struct credential_account {
    ledger_pointer ledger;
    std::deque<std::pair<acquire_request, caf::response_promise>> pending; ///< for the disk
  };
  struct round;
  struct farewell;
  struct leaver {
    std::uint64_t key = 0;
    std::shared_ptr<farewell> whose;
    bool forget = true;
    std::string quota_row; ///< `forget`: to be erased too; empty: it belongs to others as well
  };
  class loads;

  time_point now() const { return self_->clock().now(); }
  instants both() const { return {now(), shared_->wall()}; }
  double jitter() { return std::uniform_real_distribution<double>{}(random_); }
  caf::behavior behavior();

  // Requests: pool_actor.cpp
  caf::result<acquire_reply> acquire(acquire_request& request);
  caf::result<acquire_reply> place(acquire_request& request, caf::response_promise* asker);
  static wish wish_of(const acquire_request& r, const std::vector<turned_away>& turned);
  static std::vector<turned_away> turned_of(const acquire_request& r, time_point now);
  choice pick(acquire_request& r, std::vector<turned_away>& turned, time_point at);
  acquire_reply refusal(const choice& c, time_point at) const;
  void take(const standing_report& r);
  void take(const room_report& r);
  void change(const change_policy& p);

  // The waiting room: pool_waiting.cpp
  void enter(acquire_request request, caf::response_promise asker, std::uint64_t line,
             std::vector<turned_away> turned, time_point at);
  void answer_refused(std::uint64_t ticket, grant_kind grant, time_point at);
  void wake(time_point at, bool call_ended = false);
  /// When the line's next may be served; nothing: nobody waits in it any more.
  /// What is left of a line once everybody was served who could be.
  struct line_rest {
    time_point soonest = time_point::max(); ///< when to look again
    bool blocked = false;                   ///< by one who may use any key of the line
  };
  line_rest wake_line(std::uint64_t line, time_point at, bool call_ended);
  void wake_later(time_point when, time_point at);
  void stop(std::uint64_t ticket);

  // What clients' credentials may use: pool_credentials.cpp
  enum class gate : std::uint8_t { open, shut, later };
  gate ask_credential(acquire_request& request, acquire_reply& reply);
  void credential_written(std::uint64_t id);
  void write_credential(std::uint64_t id);
  void forget_call(acquire_request& request);
  void settle(const settle_credential& s);
  void change(const limits_of_credentials& all);

  // Outgoing proxies and re-checks: pool_egress.cpp
  void use_proxies(const egress_settings& s);
  std::uint64_t proxy_id(const secret& address);
  egress_key egress_of(const member& m, std::uint32_t slot) const;
  bool find_egress(std::uint32_t slot, acquire_request& r, time_point at);
  void rest_egress(const egress_rest& rest, time_point at);
  void look_for_ways(time_point at);
  void take(const egress_report& r);
  caf::result<std::vector<std::uint64_t>> take_rechecks();
  void give_rechecks();

  // Keys that come and go: pool_members.cpp
  caf::result<void> add(add_keys& wanted);
  caf::result<void> remove(const remove_keys& leaving);
  void change_key(std::uint32_t slot, pool_key& k);
  member* seat(pool_key& k);
  bool admit_key(pool_key k, std::optional<storage::key_state_record> past);
  void welcome_back(pool_key k, const std::shared_ptr<farewell>& whose);
  static void one_less(const std::shared_ptr<farewell>& whose);
  void give_birth(std::uint32_t slot, std::optional<storage::key_state_record> past);
  void erase_state(const leaver& gone);
  void on_down(caf::down_msg& down);
  void revive(std::uint64_t key);
  void revive_with(std::uint64_t key, const std::string& record);
  void note(member& m, const standing& s);
  ledger_pointer enter_domain(const std::string& name, std::uint64_t key);
  void leave_domain(const std::string& name, std::uint64_t key);
  void declare(std::uint32_t slot);
  void show_rooms(std::uint64_t key, shared_ledger& ledger);
  void end_calls(std::uint64_t key, key_load& load);
  std::uint64_t key_of(std::uint64_t ledger, std::uint64_t told_by) const;

  // Questions about all of them: pool_rounds.cpp
  caf::result<key_status> obey(key_command& command);
  caf::result<key_status> pass_on(check_outcome& c);
  caf::result<std::vector<key_status>> list();
  caf::result<std::vector<key_status>> some(statuses_of& wanted);
  caf::result<void> drain();
  void save_ledgers(const std::shared_ptr<round>& r);
  std::vector<key_brief> briefs() const;
  pool_view view() const;
  key_status status_without_actor(const member& m) const;
  void complete(key_status& s) const;
  void ask_all(const std::shared_ptr<round>& r);
  void ask_next(const std::shared_ptr<round>& r);

  self_pointer self_;
  pool_options options_;
  std::shared_ptr<const key_actor_options> shared_;
  std::shared_ptr<pool_gauges> gauges_;
  std::minstd_rand random_;
  selection selection_;
  std::vector<member> members_; ///< by slot of `selection_`
  std::unordered_map<std::string, domain> domains_;
  std::unordered_map<caf::actor_id, std::uint64_t> keys_of_;
  std::unordered_map<caf::actor_id, leaver> leaving_; ///< removed, not yet gone
  std::shared_ptr<round> listing_; ///< under way, shared by all who asked meanwhile
  waiting_room room_{0};
  std::unordered_map<std::uint64_t, waiting> waiting_; ///< by ticket
  std::uint64_t own_tickets_ = 0;
  std::uint64_t arrivals_ = 0;
  time_point wake_at_ = time_point::max(); ///< when the next wake-up is due
  std::unordered_map<std::uint64_t, credential_account> credentials_;
  egress egress_;
  std::unordered_map<std::uint64_t, secret> proxies_;
  recheck recheck_;
  std::optional<caf::response_promise> checker_; ///< waits for keys to check
  time_point recheck_at_ = time_point::max();
  sharing_watch sharing_;
  choice_log choices_{0};
  bool draining_ = false;
};

caf::behavior pool_actor(pool_actor_state::self_pointer self, pool_options options,
                         std::vector<pool_seed> keys);

/// The pool of a node, with the state that `store` has of its keys. What cannot be read there
/// is logged, and its key starts without a past. `log` outlives the pool.
caf::actor spawn_pool(caf::actor_system& system, std::vector<pool_key> keys, pool_policy policy,
                      limits_of_credentials credentials, const caf::actor& storage,
                      const storage::store& store, log_sink& log,
                      std::shared_ptr<pool_gauges> gauges = std::make_shared<pool_gauges>());

} // namespace troupe
