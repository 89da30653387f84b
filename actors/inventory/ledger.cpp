#include "actors/inventory/ledger.hpp"

#include "protocol/base/key_id.hpp"
#include "storage/random.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

using storage::column;

constexpr std::string_view node_row = "node_id";
constexpr std::size_t prune_max = 1'000;

result<storage::node_bytes> node_of(storage::store& db) {
  auto known = db.get(column::replication, node_row);
  if (!known)
    return known.error();
  storage::node_bytes node{};
  if (*known && (*known)->size() == node.size()) {
    std::ranges::transform(**known, node.begin(),
                           [](char c) { return static_cast<std::uint8_t>(c); });
    return node;
  }
  for (std::size_t i = 0; i < node.size(); i += 8) {
    const auto bits = storage::random_number();
    for (std::size_t k = 0; k < 8; ++k)
      node[i + k] = static_cast<std::uint8_t>(bits >> (8 * k));
  }
  if (auto kept = db.put(column::replication, node_row,
                         {reinterpret_cast<const char*>(node.data()), node.size()},
                         storage::durability::power);
      !kept)
    return kept.error();
  return node;
}

bool wanted(const storage::audit_entry& e, const list_audit& query) {
  return e.action.starts_with(query.action) && (query.who.empty() || e.who == query.who)
         && (query.target.empty() || e.target == query.target);
}

} // namespace

result<ledger> ledger::open(storage::store& db, wall_clock wall) {
  ledger l{db, std::move(wall)};
  auto node = node_of(db);
  if (!node)
    return node.error();
  l.node_ = *node;
  // Every write has an audit entry, so the newest of them knows the newest stamp.
  auto read =
      db.for_each_backwards(column::audit, {}, {}, [&](std::string_view row, std::string_view) {
        l.clock_ = storage::clock_of_audit_row(row);
        return false;
      });
  if (!read)
    return read.error();
  read = db.for_each(column::audit, {}, [&](std::string_view, std::string_view) {
    return ++l.audited_ <= 2 * audit_rows_max;
  });
  if (!read)
    return read.error();
  return l;
}

storage::item_header ledger::next(const storage::item_header* before) {
  clock_ = storage::next_clock(clock_, now_ms());
  storage::item_header h;
  h.revision = before != nullptr ? before->revision + 1 : 1;
  h.written = {0, clock_, node_};
  h.changed_at_ms = now_ms();
  h.created_at_ms = before != nullptr && !before->deleted ? before->created_at_ms : h.changed_at_ms;
  return h;
}

void ledger::audit(storage::write_batch& batch, const asker& by, event e) {
  clock_ = storage::next_clock(clock_, now_ms());
  storage::audit_entry entry;
  entry.at_ms = now_ms();
  entry.who = by.who;
  entry.from = by.from;
  entry.action = e.action;
  entry.target = std::move(e.target);
  entry.before = e.before;
  entry.after = e.after;
  entry.request_id = by.request_id;
  entry.changes = std::move(e.changes);
  batch.put(column::audit, storage::audit_row(clock_), encode(entry));
  ++audited_;
}

asker ledger::itself() {
  return {"node", {}, {}};
}

result<void> ledger::commit(const storage::write_batch& batch) {
  decltype(undo_) held;
  for (const auto& c : batch.changes()) {
    const std::pair row{c.where, c.key};
    if (const auto known = undo_.find(row); known != undo_.end()) {
      held.insert(*known);
      continue;
    }
    auto present = db_->get(c.where, c.key);
    if (!present)
      return present.error();
    held.emplace(row, *std::move(present));
  }
  storage::write_batch whole;
  for (const auto& [row, value] : undo_)
    if (!held.contains(row)) {
      if (value)
        whole.put(row.first, row.second, *value);
      else
        whole.erase(row.first, row.second);
    }
  for (const auto& c : batch.changes()) {
    if (c.erase)
      whole.erase(c.where, c.key);
    else
      whole.put(c.where, c.key, c.value);
  }
  auto written = db_->write(whole, storage::durability::power);
  if (written)
    undo_.clear();
  else
    undo_.merge(held);
  return written;
}

void ledger::settle() {
  if (!undo_.empty())
    (void)commit({});
}

answer<audit_page> ledger::list(const list_audit& query) const {
  audit_page page;
  const auto limit = std::clamp<std::uint32_t>(query.limit, 1, 1'000);
  const auto below = query.before == 0 ? std::string{} : storage::audit_row(query.before);
  std::optional<failure> bad;
  auto read = db_->for_each_backwards(
      column::audit, {}, below, [&](std::string_view row, std::string_view value) {
        auto entry = storage::decode_audit_entry(value);
        if (!entry) {
          bad = entry.error();
          return true; // one damaged entry hides no other
        }
        if (!wanted(*entry, query))
          return true;
        if (page.entries.size() == limit) {
          page.next = page.entries.back().clock;
          return false;
        }
        page.entries.push_back({storage::clock_of_audit_row(row), *std::move(entry)});
        return true;
      });
  if (!read)
    return refusal_of(read.error());
  if (page.entries.empty() && bad)
    return refusal_of(*bad);
  return page;
}

void ledger::prune() {
  if (audited_ <= audit_rows_max)
    return;
  storage::write_batch old;
  const auto many = std::min<std::uint64_t>(audited_ - audit_rows_max, prune_max);
  auto read = db_->for_each(column::audit, {}, [&](std::string_view row, std::string_view) {
    old.erase(column::audit, std::string{row});
    return old.size() < many;
  });
  if (read && db_->write(old, storage::durability::process))
    audited_ -= old.size();
}

refused refusal_of(const failure& f) {
  refused r;
  r.code = f.code;
  r.text = f.text;
  switch (f.code) {
  case errc::storage_full:
    r.reason = "storage_full";
    r.text = "The disk has no room; nothing was changed. " + f.text;
    break;
  case errc::not_found:
    r.reason = "not_found";
    break;
  case errc::already_exists:
    r.reason = "already_exists";
    break;
  case errc::invalid_argument:
    r.reason = "invalid_request";
    break;
  default:
    r.reason = "storage_failed";
    r.text = "Nothing was changed: " + f.text;
  }
  return r;
}

std::string id_text(std::uint64_t key) {
  return to_string(key_id{key});
}

} // namespace troupe
