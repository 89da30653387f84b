#include "actors/inventory/way_out.hpp"

#include "actors/core/egress.hpp"

#include <utility>
#include <vector>

namespace troupe {

secret way_out_of(const egress_settings& s, std::uint64_t key, const key_table::entry& e) {
  if (!e.proxy.empty())
    return e.proxy;
  std::vector<const secret*> known; // an id is a place here, counted from 1
  const auto ids_of = [&](const std::vector<secret>& proxies) {
    std::vector<std::uint64_t> ids;
    for (const auto& p : proxies) {
      known.push_back(&p);
      ids.push_back(known.size());
    }
    return ids;
  };
  egress_plan plan;
  for (const auto& g : s.groups)
    plan.groups.push_back({g.name, g.groups, ids_of(g.proxies)});
  plan.proxies = ids_of(s.proxies);
  egress ways;
  ways.change_plan(std::move(plan));
  const auto way = ways.assigned({.key = key, .groups = e.item.groups}, time_point{}).egress;
  return way == direct_egress ? secret{} : *known[way - 1];
}

} // namespace troupe
