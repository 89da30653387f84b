#include "actors/inventory/key_table.hpp"

#include "storage/core/record_layout.hpp"

#include <algorithm>
#include <map>
#include <utility>

// Which keys the pool has: those whose upstream exists; and what an upstream says of all its keys.

namespace troupe {

namespace {

/// What a key declares, and of its upstream's limits those that it has no word of its own for.
std::vector<limit> merged(std::vector<limit> own, const std::vector<limit>& upstream) {
  const auto declared = static_cast<std::ptrdiff_t>(own.size());
  for (const auto& general : upstream) {
    const auto end = own.begin() + declared;
    const bool known = std::any_of(own.begin(), end, [&](const limit& l) {
      return l.kind == general.kind && l.model == general.model;
    });
    if (!known)
      own.push_back(general);
  }
  return own;
}

} // namespace

std::size_t key_table::count_for(std::string_view upstream) const {
  const auto at = per_upstream_.find(upstream);
  return at == per_upstream_.end() ? 0 : at->second;
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
  k.tier = e.item.tier;
  k.weight = e.item.weight;
  k.domain = e.item.domain;
  k.limits = e.item.limits;
  if (const auto home = upstreams_.find(e.item.upstream); home != upstreams_.end())
    k.limits = merged(std::move(k.limits), home->second);
  k.proxy = e.proxy;
  return k;
}

std::vector<pool_key> key_table::pool_keys() const {
  std::vector<pool_key> all;
  all.reserve(entries_.size());
  for (const auto& [id, e] : entries_)
    if (served(e))
      all.push_back(for_pool(id, e));
  std::ranges::sort(all, {}, &pool_key::key); // a start is the same each time
  return all;
}

void key_table::use(const settings& s, effects& out) {
  const auto before = std::exchange(upstreams_, {});
  for (const auto& u : s.upstreams)
    upstreams_[u.name] = u.limits;
  first_upstream_ = s.upstreams.front().name;
  for (const auto& [id, e] : entries_) {
    const auto was = before.find(e.item.upstream);
    const auto is = upstreams_.find(e.item.upstream);
    if (is == upstreams_.end()) {
      if (was != before.end())
        out.set_aside.push_back(id);
    } else if (was == before.end()) {
      out.added.push_back(for_pool(id, e));
      out.added.back().returning = true; // the pool had it before, perhaps: its state counts
    } else if (was->second != is->second
               && merged(e.item.limits, was->second) != merged(e.item.limits, is->second)) {
      out.added.push_back(for_pool(id, e));
    }
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
