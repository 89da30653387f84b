#pragma once

#include "actors/core/quota.hpp"
#include "actors/key/pool_gauges.hpp"

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// The ledger of one quota domain, shared by the actors of its keys and the pool that made it.
///
/// All keys of a domain live on one node, so the lock is never held across a message, a write or
/// another lock: a few hundred nanoseconds. A crash of a key's actor loses nothing of what was
/// counted. As long as there is no limit, nothing is kept and nothing is locked: requests are only
/// numbered, so that the pool can tell which of those it sent were seen, limits or not.
class shared_ledger {
public:
  /// @param row  under which it is kept on disk
  shared_ledger(std::string row, quota_policy policy, std::shared_ptr<pool_gauges> gauges = nullptr)
      : row_(std::move(row)),
        id_(std::hash<std::string>{}(row_) ^ reinterpret_cast<std::uintptr_t>(this)),
        policy_(std::move(policy)),
        gauges_(std::move(gauges)) {}

  const std::string& row() const { return row_; }
  /// Tells ledgers apart, also from one that had the same row before.
  std::uint64_t id() const { return id_; }

  /// True: some limit is enforced.
  bool active() const { return active_.load(std::memory_order_acquire); }

  void declare(const std::vector<limit>& limits, const instants& t);
  bool learn(const limit& what, limit_source source, const instants& t);
  void change_policy(const quota_policy& policy);
  void restore(const quota_record& r, const instants& t);

  /// What is left, as the pool will know it from now on, and how many requests were seen by then.
  struct report {
    std::uint64_t number = 0; ///< of this ledger's reports
    std::uint64_t seen = 0;
    std::vector<quota_room> rooms;
  };

  struct taken {
    quota_verdict verdict;
    bool tell = false;  ///< the pool's picture is used up: send it a new `report`
    bool write = false; ///< the next record should be written now
  };

  /// A request that the pool sent to a key of the domain. After `must_write` it comes again, once
  /// the write is done, and counts as on its way until then.
  taken take(const quota_call& call, const instants& t);
  /// A request that the pool sent, of which the quota is not asked. True: as `taken::tell`.
  bool seen_only(const instants& t);

  /// True: somebody waits for room, perhaps for the end of this very call, so send a new `report`.
  bool end(std::uint64_t ticket, const quota_end& how, const instants& t);
  void sent_late(std::uint64_t ticket, const instants& t);

  report report_now(const instants& t);
  /// False: the pool knows a later report. Reports of several keys may overtake each other.
  bool is_news(std::uint64_t number);

  /// The record to write; then `written`, `refused` or `write_lost` has to follow. Nothing: one is
  /// on its way; once it has ended, `waiter` is among those of `take_waiters`.
  std::optional<quota_record> begin_write(const instants& t,
                                          const caf::weak_actor_ptr& waiter = {});
  void written(const quota_record& r);
  /// The disk took nothing: until `until`, calls that would need more allowance find no room.
  void refused(time_point until);
  /// Nobody will tell how the write went.
  void write_lost();
  /// The record of a clean end.
  std::optional<quota_record> last_record(const instants& t);
  /// Key actors to be told by `allowed_atom` that the write has ended.
  std::vector<caf::actor> take_waiters();

  std::vector<quota_use> uses(const instants& t);

private:
  quota_ledger& ledger();
  bool count_down(time_point now);

  void note_kind(limit_kind kind) const;

  const std::string row_;
  const std::uint64_t id_;
  std::mutex access_;
  quota_policy policy_;
  const std::shared_ptr<pool_gauges> gauges_;
  std::unique_ptr<quota_ledger> ledger_;
  std::vector<quota_room> told_; ///< what the pool believes, counted down at least as fast
  std::uint64_t reports_ = 0;
  std::uint64_t known_ = 0; ///< the latest report that the pool has
  std::atomic<std::uint64_t> seen_{0};
  std::vector<caf::weak_actor_ptr> waiters_;
  bool end_awaited_ = false; ///< somebody found no room, and only the end of a call makes some
  bool writing_ = false;
  time_point refused_until_{};
  std::atomic<bool> active_{false};
};

} // namespace troupe
