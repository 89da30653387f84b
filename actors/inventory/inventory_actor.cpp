#include "actors/inventory/inventory_actor.hpp"

#include "actors/defaults.hpp"
#include "actors/error.hpp"
#include "actors/messages.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <utility>

namespace troupe {

namespace {

using work_atom = caf::atom_constant<caf::atom("work")>;

/// Asks the other actors and waits for them: the inventory has its own thread, and a change must
/// be in force before it is answered.
class actor_door final : public inventory_door {
public:
  actor_door(caf::actor_system& system, inventory_reach reach)
      : self_(system), reach_(std::move(reach)) {}

  void pool_add(std::vector<pool_key> keys) override {
    (void)ask<void>(reach_.pool, add_keys{std::move(keys)});
  }
  void pool_remove(std::vector<std::uint64_t> keys, bool forget) override {
    (void)ask<void>(reach_.pool, remove_keys{std::move(keys), forget});
  }
  void use_policy(const pool_policy& p) override { (void)ask<void>(reach_.pool, change_policy{p}); }
  void use_limits(credential_table::limits_by_id all) override {
    (void)ask<void>(reach_.pool, change_credentials{std::move(all)});
  }
  key_briefs briefs() override {
    auto list = ask<std::vector<key_brief>>(reach_.pool, list_briefs_atom::value);
    return list ? key_briefs{*std::move(list)} : key_briefs{};
  }
  std::vector<key_status> statuses(std::vector<std::uint64_t> keys) override {
    auto list = ask<std::vector<key_status>>(reach_.pool, statuses_of{std::move(keys)});
    return list ? *std::move(list) : std::vector<key_status>{};
  }
  result<key_status> order(key_order order, std::uint64_t key, std::int64_t pause_ms) override {
    return ask<key_status>(reach_.pool, key_command{order, key, pause_ms, {}});
  }
  result<key_status> check_ended(std::uint64_t key, const settlement& end) override {
    return ask<key_status>(reach_.pool, check_outcome{key, end});
  }
  result<void> flush_states() override { return ask<void>(reach_.storage, flush_atom::value); }
  void use_settings(const loaded_settings& loaded) override { reach_.use_settings(loaded); }
  void use_credentials(const credential_table& all) override { reach_.use_credentials(all); }
  void keys_are(std::size_t count) override { reach_.keys_are(count); }

private:
  template <class Reply, class Message>
  result<Reply> ask(const caf::actor& whom, Message message) {
    std::optional<failure> bad;
    const auto failed = [&](const caf::error& e) {
      bad = failure{to_errc(e), "an actor of this node does not answer"};
    };
    auto asked = self_->request(whom, caf::infinite, std::move(message));
    if constexpr (std::is_void_v<Reply>) {
      asked.receive([] {}, failed);
      return bad ? result<void>{*bad} : result<void>{};
    } else {
      std::optional<Reply> reply;
      asked.receive([&](Reply& r) { reply = std::move(r); }, failed);
      if (!reply)
        return bad.value_or(failure{errc::shutting_down, "no answer came"});
      return *std::move(reply);
    }
  }

  caf::scoped_actor self_;
  inventory_reach reach_;
};

struct inventory_state {
  static constexpr const char* name = "inventory";

  inventory* tables = nullptr;
  std::unique_ptr<actor_door> door;
  bool working = false;
};

using self_pointer = caf::stateful_actor<inventory_state>*;

void go_on(self_pointer self) {
  auto& s = self->state;
  if (!s.working && s.tables->has_work()) {
    s.working = true;
    self->send(self, work_atom::value);
  }
}

template <class Question>
auto answering(self_pointer self) {
  return [self](const Question& q) {
    auto reply = self->state.tables->ask(q);
    go_on(self);
    return reply;
  };
}

template <class... Questions>
caf::behavior answering_all(self_pointer self) {
  return {answering<Questions>(self)..., [self](work_atom) {
            self->state.working = false;
            if (self->state.tables->has_work())
              self->state.tables->step();
            go_on(self);
          }};
}

caf::behavior inventory_behavior(self_pointer self, inventory* tables, inventory_reach reach,
                                 log_sink* log) {
  set_default_handlers(self, *log, log_area::storage, inventory_state::name);
  self->state.tables = tables;
  self->state.door = std::make_unique<actor_door>(self->system(), std::move(reach));
  tables->attach(*self->state.door);
  return answering_all<
      get_settings, change_settings, get_settings_history, diff_settings, restore_settings,
      list_keys, get_key, add_one_key, edit_key, delete_key, order_key, import_keys, change_keys,
      reveal_key, report_check, list_upstreams, list_credentials, add_credential, edit_credential,
      revoke_credential, renew_credential, list_audit, back_up, restore_from, rotate_secrets>(self);
}

} // namespace

caf::actor spawn_inventory(caf::actor_system& system, inventory& tables, inventory_reach reach,
                           log_sink& log) {
  return system.spawn<caf::detached>(inventory_behavior, &tables, std::move(reach), &log);
}

} // namespace troupe
