#include "actors/inventory/key_table.hpp"

#include "storage/core/record_layout.hpp"

#include <algorithm>
#include <map>
#include <utility>

// Which keys the pool has: those whose upstream is of the kind that this node's surfaces call.

namespace troupe {

upstream_kind key_table::wanted_kind() const {
  bool vertex = false;
  for (const auto& [name, count] : per_upstream_) {
    const auto kind = upstreams_.find(name);
    if (kind == upstreams_.end())
      continue;
    if (kind->second == upstream_kind::gemini)
      return upstream_kind::gemini;
    vertex = true;
  }
  return vertex ? upstream_kind::vertex : upstream_kind::gemini;
}

bool key_table::served(const entry& e) const {
  const auto kind = upstreams_.find(e.item.upstream);
  return kind != upstreams_.end() && kind->second == served_kind_;
}

pool_key key_table::for_pool(std::uint64_t id, const entry& e) const {
  pool_key k;
  k.key = id;
  k.name = !e.item.name.empty()       ? e.item.name
           : !e.fallback_name.empty() ? e.fallback_name
                                      : id_text(id);
  k.secret_text = e.characters;
  k.upstream = numbers_.of(e.item.upstream);
  k.groups = e.item.groups;
  k.enabled = e.item.enabled;
  return k;
}

std::vector<pool_key> key_table::pool_keys() const {
  std::vector<pool_key> all;
  all.reserve(entries_.size());
  for (const auto& [id, e] : entries_)
    if (served(e))
      all.push_back(for_pool(id, e));
  // Configured keys first, in the order of their names' numbers, then by id: a start is the same
  // each time.
  std::ranges::sort(all, {}, &pool_key::key);
  return all;
}

void key_table::use(const settings& s, effects& out) {
  const auto before = std::exchange(upstreams_, {});
  const auto kind_before = served_kind_;
  for (const auto& u : s.upstreams)
    upstreams_[u.name] = u.kind;
  first_upstream_ = s.upstreams.front().name;
  served_kind_ = wanted_kind();
  out.settings = out.settings || served_kind_ != kind_before;
  for (const auto& [id, e] : entries_) {
    const auto old = before.find(e.item.upstream);
    const bool was = old != before.end() && old->second == kind_before;
    if (was == served(e))
      continue;
    if (was)
      out.set_aside.push_back(id);
    else
      come_back(id, e, out);
  }
}

/// A key that the pool had before, perhaps: its state is kept.
void key_table::come_back(std::uint64_t id, const entry& e, effects& out) const {
  out.added.push_back(for_pool(id, e));
  out.added.back().returning = true;
}

/// After a change of keys: the first of a kind, or the last, changes what is served.
void key_table::resync(effects& out) {
  const auto kind = wanted_kind();
  if (kind == served_kind_)
    return;
  served_kind_ = kind;
  out.settings = true; // the fronts call other upstreams now
  const auto fresh = std::exchange(out.added, {});
  out.set_aside.clear();
  for (const auto& [id, e] : entries_) {
    const auto added = std::ranges::find(fresh, id, &pool_key::key);
    if (!served(e))
      out.set_aside.push_back(id);
    else if (added != fresh.end())
      out.added.push_back(*added);
    else
      come_back(id, e, out);
  }
}

std::optional<refused> key_table::refuse_missing(const settings& s) const {
  std::map<std::string, std::size_t> homeless;
  for (const auto& [name, count] : per_upstream_)
    if (upstreams_.contains(name) // others are homeless already, and served by nobody
        && std::ranges::find(s.upstreams, name, &upstream_settings::name) == s.upstreams.end())
      homeless[name] = count;
  if (homeless.empty())
    return std::nullopt;
  refused r{errc::conflict, "in_use", {}, {}, 0};
  for (const auto& [name, count] : homeless)
    r.fields.push_back({"upstreams", "in_use",
                        std::to_string(count) + " keys are for \"" + name
                            + "\": delete them or give them another upstream first"});
  r.text = "An upstream that keys are for cannot go.";
  return r;
}

} // namespace troupe
