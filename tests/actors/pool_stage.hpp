#pragma once

#include "actors/error.hpp"
#include "actors/key/pool_actor.hpp"
#include "tests/support/still_system.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// Stands for the storage actor: keeps the last record of each key and of each ledger, and writes
/// ledgers at once, not at all, or when the test says so.
struct fake_disk {
  enum class mood : std::uint8_t { writes, refuses, holds };
  using release_atom = caf::atom_constant<caf::atom("release")>;
  using release_first_atom = caf::atom_constant<caf::atom("release1")>;

  mood quotas = mood::writes;
  std::map<std::uint64_t, std::string> keys;
  std::map<std::string, std::string> rows;
  std::size_t writes = 0;
  std::deque<std::pair<caf::response_promise, save_quota>> held;

  caf::behavior behavior(caf::event_based_actor* self) {
    return {
        [this](const save_key_state& s) { keys[s.key] = s.record; },
        [this](const load_key_state& l) { return keys[l.key]; },
        [this](const erase_key_state& e) { keys.erase(e.key); },
        [this, self](const save_quota& s) -> caf::result<void> {
          ++writes;
          if (quotas == mood::refuses)
            return make_error(errc::storage_failed);
          if (quotas == mood::holds) {
            held.emplace_back(self->make_response_promise(), s);
            return held.back().first;
          }
          rows[s.row] = s.record;
          return caf::unit;
        },
        [this](const load_quota& l) { return rows[l.row]; },
        [this](const erase_quota& e) { rows.erase(e.row); },
        [this](release_first_atom) {
          auto [asker, s] = std::move(held.front());
          held.pop_front();
          rows[s.row] = s.record;
          asker.deliver(caf::unit);
        },
        [this](release_atom) {
          for (auto& [asker, s] : std::exchange(held, {})) {
            rows[s.row] = s.record;
            asker.deliver(caf::unit);
          }
        },
    };
  }
};

/// A pool with its keys on a still system, and clients that ask it.
class pool_stage : public testing::Test {
protected:
  using answer_class = gemini::answer_class;

  /// A question that may be answered later.
  struct question {
    std::optional<acquire_reply> reply;
    std::string error;
    caf::actor asker;

    bool answered() const { return reply.has_value() || !error.empty(); }
    bool granted() const { return reply && reply->grant == grant_kind::granted; }
  };
  using asked = std::shared_ptr<question>;

  void TearDown() override { end(); }

  static pool_seed key(std::uint64_t number) {
    pool_seed seed;
    seed.key.key = number;
    seed.key.secret_text = secret{"secret-" + std::to_string(number)};
    return seed;
  }

  static std::vector<pool_seed> keys(std::uint64_t count) {
    std::vector<pool_seed> all;
    for (std::uint64_t number = 1; number <= count; ++number)
      all.push_back(key(number));
    return all;
  }

  /// Keys that all have the same limits.
  static std::vector<pool_seed> limited(std::uint64_t count, const std::vector<limit>& limits,
                                        const std::string& domain = {}) {
    auto all = keys(count);
    for (auto& k : all) {
      k.key.limits = limits;
      k.key.domain = domain;
    }
    return all;
  }

  static limit per_minute(std::uint64_t calls) { return {{}, limit_kind::rpm, calls}; }
  static limit at_once(std::uint64_t calls) { return {{}, limit_kind::concurrency, calls}; }

  /// Begins with `options_` as they are; a pool that there is ends first.
  void begin(std::vector<pool_seed> seeds) {
    end();
    if (with_storage_)
      storage_ = still_.system().spawn(
          [this](caf::event_based_actor* self) { return disk_.behavior(self); });
    auto options = options_;
    options.keys.wall = [this] { return still_.wall() + wall_shift_; };
    options.keys.log = &log_;
    options.keys.storage = storage_;
    options.gauges = gauges_;
    pool_ = still_.system().spawn(pool_actor, std::move(options), std::move(seeds));
    still_.settle_down();
  }
  void begin(std::uint64_t count) { begin(keys(count)); }

  void end() {
    for (auto& q : questions_)
      if (q->asker)
        caf::anon_send_exit(std::exchange(q->asker, nullptr), caf::exit_reason::kill);
    questions_.clear();
    disk_.held.clear();
    for (auto* a : {&pool_, &storage_}) {
      if (*a)
        caf::anon_send_exit(*a, caf::exit_reason::user_shutdown);
      *a = nullptr;
      still_.settle_down();
    }
  }

  /// `policy` from now on.
  void use(const pool_policy& policy) { tell(change_policy{policy}); }

  template <class Message>
  void tell(Message&& m) {
    still_.self()->send(pool_, std::forward<Message>(m));
    still_.settle_down();
  }

  /// Sends the question and lets nothing happen yet.
  asked send(acquire_request request) {
    auto q = std::make_shared<question>();
    q->asker = still_.system().spawn([this, q, request](caf::event_based_actor* self) {
      self->request(pool_, caf::infinite, request)
          .then(
              [this, q, ticket = request.ticket](acquire_reply& r) {
                q->reply = std::move(r);
                q->asker = nullptr;
                answered_.push_back(ticket);
              },
              [this, q](const caf::error& e) {
                q->error = still_.system().render(e);
                q->asker = nullptr;
              });
    });
    questions_.push_back(q);
    return q;
  }

  /// A question that may wait for `wait`.
  asked ask(duration wait, std::uint64_t ticket = 0, std::uint64_t credential = 0) {
    auto q = send(wish_of(wait, ticket, credential));
    still_.settle_down();
    return q;
  }

  static acquire_request wish_of(duration wait, std::uint64_t ticket = 0,
                                 std::uint64_t credential = 0) {
    acquire_request r;
    r.model = "flash";
    r.ticket = ticket;
    r.credential = credential;
    r.wait_max_ms = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
    return r;
  }

  acquire_reply acquire(const acquire_request& request) {
    return still_.ask<acquire_reply>(pool_, request).value_or(acquire_reply{});
  }

  acquire_reply acquire(std::vector<std::uint64_t> tried = {}, std::uint64_t pinned = 0,
                        std::string model = "flash") {
    acquire_request request;
    request.model = std::move(model);
    request.tried = std::move(tried);
    request.pinned = pinned;
    return acquire(request);
  }

  static settlement ending(const acquire_reply& lease, answer_class what,
                           std::int64_t retry_after_ms = -1) {
    settlement s;
    s.lease = lease.lease;
    s.model = "flash";
    s.what = what;
    s.scope = gemini::answer_scope::key_and_model;
    s.concerned_model = "flash";
    s.retry_after_ms = retry_after_ms;
    return s;
  }

  void settle(const acquire_reply& lease, settlement s) {
    caf::anon_send(lease.key_actor, std::move(s));
    still_.settle_down();
  }
  void settle(const acquire_reply& lease, answer_class what, std::int64_t retry_after_ms = -1) {
    settle(lease, ending(lease, what, retry_after_ms));
  }
  void settle(const acquire_reply& lease) { settle(lease, answer_class::ok); }

  void crash(const caf::actor& who) {
    caf::anon_send_exit(who, caf::exit_reason::kill);
    still_.settle_down();
  }

  /// The oldest write ends; others are still held.
  void release_first() {
    caf::anon_send(storage_, fake_disk::release_first_atom::value);
    still_.settle_down();
  }
  void release_disk() {
    disk_.quotas = fake_disk::mood::writes;
    caf::anon_send(storage_, fake_disk::release_atom::value);
    still_.settle_down();
  }

  std::vector<key_status> list() {
    return still_.ask<std::vector<key_status>>(pool_, list_keys_atom::value).value();
  }
  key_status status(std::uint64_t number) {
    const auto some = still_.ask<std::vector<key_status>>(pool_, statuses_of{{number}});
    return some && !some->empty() ? some->front() : key_status{};
  }
  pool_view view() { return still_.ask<pool_view>(pool_, pool_view_atom::value).value(); }

  /// Adds keys, or changes what is said of them.
  void put(std::vector<pool_key> wanted) {
    EXPECT_EQ(still_.error_of(pool_, add_keys{std::move(wanted)}), caf::none);
    still_.settle_down();
  }
  void take_out(std::vector<std::uint64_t> numbers) {
    EXPECT_EQ(still_.error_of(pool_, remove_keys{std::move(numbers)}), caf::none);
    still_.settle_down();
  }
  key_status order(key_order what, std::uint64_t number, std::int64_t pause_ms = 0) {
    auto now = still_.ask<key_status>(
        pool_, key_command{.order = what, .key = number, .pause_ms = pause_ms, .note = {}});
    still_.settle_down();
    return now.value_or(key_status{});
  }

  bool with_storage_ = true;
  std::chrono::milliseconds wall_shift_{};
  still_system still_;
  kept_log log_;
  fake_disk disk_;
  pool_options options_;
  std::shared_ptr<pool_gauges> gauges_ = std::make_shared<pool_gauges>();
  std::vector<asked> questions_;
  std::vector<std::uint64_t> answered_; ///< tickets, in the order of their answers
  caf::actor storage_;
  caf::actor pool_;
};

} // namespace troupe
