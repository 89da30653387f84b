#pragma once

#include "actors/core/quota.hpp"

#include <atomic>
#include <cstdint>
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
/// counted. As long as there is no limit, nothing is kept and nothing is locked.
class shared_ledger {
public:
  /// @param row  under which it is kept on disk
  shared_ledger(std::string row, quota_policy policy)
      : row_(std::move(row)), policy_(std::move(policy)) {}

  const std::string& row() const { return row_; }

  /// True: some limit is enforced.
  bool active() const { return active_.load(std::memory_order_acquire); }

  void declare(const std::vector<limit>& limits, const instants& t);
  bool learn(const limit& what, limit_source source, const instants& t);
  void change_policy(const quota_policy& policy);
  void restore(const quota_record& r, const instants& t);

  /// What is left, as the pool will know it from now on, and how many requests were seen by then.
  struct report {
    std::uint64_t seen = 0;
    std::vector<quota_room> rooms;
  };

  struct taken {
    quota_verdict verdict;
    bool tell = false;  ///< the pool's picture is used up: send it a new `report`
    bool write = false; ///< the next record should be written now
  };

  /// A request that the pool sent to a key of the domain.
  taken take(const quota_call& call, const instants& t);
  /// The same request once more, after `must_write` and the write: not seen again.
  taken take_again(const quota_call& call, const instants& t);
  /// A request that the pool sent was turned away before its quota was asked.
  void seen_only();

  /// True: the pool waits for room, so send it a new `report`.
  bool end(std::uint64_t ticket, const quota_end& how, const instants& t);
  /// Whoever had calls of the domain will not tell their end: what they used stays used, and
  /// none counts as under way.
  void forget_calls(const instants& t);
  void sent_late(std::uint64_t ticket, const instants& t);

  report report_now(const instants& t);

  /// The record to write, unless one is on its way; then `written` or `refused` has to follow.
  std::optional<quota_record> begin_write(const instants& t);
  void written(const quota_record& r);
  /// The disk took nothing: until `until`, calls that would need more allowance find no room.
  void refused(time_point until);
  /// The record of a clean end.
  std::optional<quota_record> last_record(const instants& t);

  std::vector<quota_use> uses(const instants& t);

private:
  quota_ledger& ledger();
  taken take_locked(const quota_call& call, const instants& t);

  const std::string row_;
  std::mutex access_;
  quota_policy policy_;
  std::unique_ptr<quota_ledger> ledger_;
  std::vector<quota_room> told_; ///< what the pool believes, counted down as it does
  std::uint64_t seen_ = 0;
  bool writing_ = false;
  time_point refused_until_{};
  std::atomic<bool> active_{false};
};

} // namespace troupe
