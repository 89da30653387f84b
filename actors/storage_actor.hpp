#pragma once

#include "actors/messages.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/time.hpp"
#include "storage/store.hpp"

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

struct storage_actor_options {
  storage::store* store = nullptr; ///< outlives the actor
  duration batch_every = std::chrono::milliseconds{250};
  std::size_t batch_rows_max = 1'000; ///< as many are written before the time is up
  duration sync_every = std::chrono::seconds{1};
  /// Resources that may wait while the disk refuses; of more, nothing is kept.
  std::size_t resources_waiting_max = 100'000;
  duration retry_every = std::chrono::seconds{1}; ///< after the disk refused
  log_sink* log = nullptr;                        ///< outlives the actor
};

/// Owned by the storage actor, which runs on a thread of its own: spawn it with
/// `caf::detached`, for the disk may block for tens of milliseconds.
///
/// Records of quotas are what somebody waits for: all that have come by the time that the last
/// write is done are written together and synced, and then answered.
///
/// Key states are collected, the newest of each key, and written together; an urgent one takes
/// all that wait along. What is written survives `kill -9` at once and the loss of power after
/// the next sync. When the disk refuses, nothing is lost but time: rows wait, one per key,
/// until it takes them again. No request ever waits for it. Told to end, it writes and syncs.
///
/// Who made which resource goes along with them. There may be any number of those, so only so many
/// wait for a disk that refuses: of what comes then, a restart knows nothing.
class storage_actor_state {
public:
  static constexpr const char* name = "storage";
  using self_pointer = caf::stateful_actor<storage_actor_state>*;

  explicit storage_actor_state(self_pointer self) : self_(self) {}

  caf::behavior start(storage_actor_options options);

private:
  void take(std::uint64_t key, std::optional<std::string> record, bool urgent);
  std::string load(std::uint64_t key);
  caf::result<void> save(save_quota& m);
  void write_quotas();
  std::string load_quota_row(const std::string& row);
  void take_resource(std::string resource, std::optional<std::string> record);
  void wait_or_write(bool urgent);
  std::size_t waiting() const { return pending_.size() + resources_.size(); }
  void write();
  void sync();
  void arm_write(duration wait);
  void arm_sync();
  void count_failure(std::string_view doing, const failure& f);
  storage_status status() const;

  self_pointer self_;
  storage_actor_options options_;
  /// By key; nothing: the row is to be erased.
  std::unordered_map<std::uint64_t, std::optional<std::string>> pending_;
  /// By name, likewise.
  std::unordered_map<std::string, std::optional<std::string>> resources_;
  /// By row, the newest record of each.
  std::unordered_map<std::string, std::string> quotas_;
  std::vector<caf::response_promise> quota_askers_;
  bool write_armed_ = false;
  bool sync_armed_ = false;
  bool unsynced_ = false;
  bool refused_ = false; ///< the last write failed: wait for the next try
  storage_status counted_;
};

caf::behavior storage_actor(storage_actor_state::self_pointer self, storage_actor_options options);

/// The storage actor of a node, on its own thread. `store` and `log` outlive it.
caf::actor spawn_storage(caf::actor_system& system, storage::store& store, log_sink& log);

} // namespace troupe
