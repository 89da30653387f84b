#include "actors/storage_actor.hpp"

#include "actors/defaults.hpp"
#include "actors/error.hpp"
#include "storage/core/record_layout.hpp"

#include <caf/actor_system.hpp>

#include <utility>

namespace troupe {
namespace {

using write_atom = caf::atom_constant<caf::atom("write")>;
using quota_atom = caf::atom_constant<caf::atom("quotas")>;
using sync_atom = caf::atom_constant<caf::atom("sync")>;

} // namespace

caf::behavior storage_actor_state::start(storage_actor_options options) {
  options_ = std::move(options);
  set_default_handlers(self_, *options_.log, log_area::storage, name);
  self_->set_exit_handler([this](caf::scheduled_actor* self, caf::exit_msg& m) {
    write();
    sync();
    self->quit(std::move(m.reason));
  });
  return {
      [this](save_key_state& m) { take(m.key, std::move(m.record), m.urgent); },
      [this](const erase_key_state& m) { take(m.key, std::nullopt, true); },
      [this](const load_key_state& m) { return load(m.key); },
      [this](save_quota& m) { return save(m); },
      [this](const erase_quota& m) {
        quotas_.erase(m.row);
        (void)options_.store->erase(storage::column::key_state, m.row,
                                    storage::durability::process);
      },
      [this](const load_quota& m) { return load_quota_row(m.row); },
      [this](save_resource& m) { take_resource(std::move(m.name), std::move(m.record)); },
      [this](erase_resource& m) {
        for (auto& gone : m.names)
          take_resource(std::move(gone), std::nullopt);
      },
      [this](quota_atom) { write_quotas(); },
      [this](flush_atom) -> caf::result<void> {
        write();
        sync();
        if (refused_ || unsynced_)
          return make_error(errc::storage_failed);
        return caf::unit;
      },
      [this](status_atom) { return status(); },
      [this](write_atom) {
        write_armed_ = false;
        write();
      },
      [this](sync_atom) {
        sync_armed_ = false;
        sync();
      },
  };
}

void storage_actor_state::take(std::uint64_t key, std::optional<std::string> record, bool urgent) {
  pending_.insert_or_assign(key, std::move(record));
  wait_or_write(urgent);
}

void storage_actor_state::take_resource(std::string resource, std::optional<std::string> record) {
  if (resources_.size() >= options_.resources_waiting_max && !resources_.contains(resource)) {
    count_failure("a resource is not kept",
                  failure{errc::storage_failed, "too many wait for the disk"});
    return;
  }
  resources_.insert_or_assign(std::move(resource), std::move(record));
  wait_or_write(false);
}

void storage_actor_state::wait_or_write(bool urgent) {
  if (!refused_ && (urgent || waiting() >= options_.batch_rows_max))
    write();
  else
    arm_write(options_.batch_every);
}

std::string storage_actor_state::load(std::uint64_t key) {
  if (const auto at = pending_.find(key); at != pending_.end())
    return at->second.value_or(std::string{});
  auto row = options_.store->get(storage::column::key_state, storage::row_of(key));
  if (!row) {
    count_failure("cannot read a key's state", row.error());
    return {};
  }
  return std::move(*row).value_or(std::string{});
}

caf::result<void> storage_actor_state::save(save_quota& m) {
  // The message to oneself stands behind all that came while the last write was under way.
  if (quota_askers_.empty())
    self_->send(self_, quota_atom::value);
  quotas_.insert_or_assign(std::move(m.row), std::move(m.record));
  quota_askers_.push_back(self_->make_response_promise());
  return quota_askers_.back();
}

void storage_actor_state::write_quotas() {
  storage::write_batch batch;
  for (auto& [row, record] : std::exchange(quotas_, {}))
    batch.put(storage::column::key_state, row, std::move(record));
  auto written = options_.store->write(batch, storage::durability::power);
  if (written) {
    counted_.rows_written += batch.size();
    ++counted_.batches;
  } else {
    count_failure("limited keys wait for their allowance", written.error());
  }
  for (auto& asker : std::exchange(quota_askers_, {})) {
    if (written)
      asker.deliver(caf::unit);
    else
      asker.deliver(make_error(errc::storage_failed));
  }
}

std::string storage_actor_state::load_quota_row(const std::string& row) {
  if (const auto at = quotas_.find(row); at != quotas_.end())
    return at->second;
  auto kept = options_.store->get(storage::column::key_state, row);
  if (!kept) {
    count_failure("cannot read what a quota has used", kept.error());
    return {};
  }
  return std::move(*kept).value_or(std::string{});
}

void storage_actor_state::write() {
  if (waiting() == 0)
    return;
  storage::write_batch batch;
  const auto add = [&batch](storage::column where, std::string row,
                            const std::optional<std::string>& record) {
    if (record)
      batch.put(where, std::move(row), *record);
    else
      batch.erase(where, std::move(row));
  };
  for (const auto& [key, record] : pending_)
    add(storage::column::key_state, storage::row_of(key), record);
  for (const auto& [resource, record] : resources_)
    add(storage::column::resources, resource, record);
  auto written = options_.store->write(batch, storage::durability::process);
  if (!written) {
    count_failure(std::to_string(batch.size()) + " rows wait", written.error());
    refused_ = true;
    arm_write(options_.retry_every);
    return;
  }
  refused_ = false;
  counted_.rows_written += batch.size();
  ++counted_.batches;
  pending_.clear();
  resources_.clear();
  unsynced_ = true;
  arm_sync();
}

void storage_actor_state::sync() {
  if (!unsynced_)
    return;
  if (auto synced = options_.store->sync(); !synced) {
    count_failure("what was written is not safe from a loss of power", synced.error());
    arm_sync();
    return;
  }
  unsynced_ = false;
}

void storage_actor_state::arm_write(duration wait) {
  if (!std::exchange(write_armed_, true))
    self_->delayed_send(self_, wait, write_atom::value);
}

void storage_actor_state::arm_sync() {
  if (!std::exchange(sync_armed_, true))
    self_->delayed_send(self_, options_.sync_every, sync_atom::value);
}

void storage_actor_state::count_failure(std::string_view doing, const failure& f) {
  ++counted_.failures;
  counted_.last_failure = f.text;
  // The first of a series, then once in a while: a full disk should not fill with words.
  if ((counted_.failures & (counted_.failures - 1)) == 0
      && options_.log->wants(log_area::storage, log_level::error))
    options_.log->write(log_area::storage, log_level::error, {},
                        std::string{doing} + ": " + f.text);
}

storage_status storage_actor_state::status() const {
  auto s = counted_;
  s.pending = static_cast<std::uint32_t>(waiting());
  return s;
}

caf::behavior storage_actor(storage_actor_state::self_pointer self, storage_actor_options options) {
  return self->state.start(std::move(options));
}

caf::actor spawn_storage(caf::actor_system& system, storage::store& store, log_sink& log) {
  storage_actor_options options;
  options.store = &store;
  options.log = &log;
  return system.spawn<caf::detached>(storage_actor, options);
}

} // namespace troupe
