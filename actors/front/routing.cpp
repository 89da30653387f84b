#include "actors/front/routing.hpp"

#include "http/core/credentials.hpp"

#include <algorithm>

namespace troupe {

routing::routing(const models_settings& models, const std::vector<upstream>& upstreams)
    : models_(models) {
  for (const auto& u : upstreams)
    by_kind_[static_cast<std::size_t>(u.kind)].push_back(u.number);
  for (const auto& r : models.routes) {
    route made;
    made.models = r.models;
    made.groups = r.groups;
    for (const auto& name : r.upstreams)
      if (const auto u = std::ranges::find(upstreams, name, &upstream::name);
          u != upstreams.end()) {
        made.kind = u->kind;
        made.upstreams.push_back(u->number);
      }
    // Of a route to upstreams that are gone nothing is left, rather than a way to all others.
    if (made.upstreams.size() == r.upstreams.size() || !made.upstreams.empty())
      routes_.push_back(std::move(made));
  }
  for (const auto& [alias, name] : models.aliases)
    alias_names_.push_back(alias);
  depends_ = !models.aliases.empty() || !models.fallbacks.empty() || !models.routes.empty();
}

std::string_view routing::real_name(std::string_view asked) const {
  // The settings have no circle; the bound is for those that nobody checked.
  for (std::size_t steps = 0; steps <= models_.aliases.size(); ++steps) {
    const auto at = models_.aliases.find(std::string{asked});
    if (at == models_.aliases.end())
      break;
    asked = at->second;
  }
  return asked;
}

void routing::add_targets(std::string_view model, bool renamed,
                          std::span<const upstream_kind> kinds,
                          std::vector<model_target>& out) const {
  const auto name = renamed ? model : std::string_view{};
  const auto serves = [&](upstream_kind k) { return std::ranges::find(kinds, k) != kinds.end(); };
  for (const auto& r : routes_) {
    if (!http::matches_any(r.models, model))
      continue;
    if (!r.upstreams.empty()) {
      if (serves(r.kind))
        out.push_back({std::string{name}, r.kind, r.upstreams, r.groups});
      return;
    }
    for (const auto kind : kinds)
      if (!of_kind(kind).empty())
        out.push_back({std::string{name}, kind, of_kind(kind), r.groups});
    return;
  }
  for (const auto kind : kinds)
    if (!of_kind(kind).empty())
      out.push_back({std::string{name}, kind, of_kind(kind), {}});
}

std::vector<model_target> routing::targets(std::string_view asked,
                                           std::span<const upstream_kind> kinds) const {
  std::vector<model_target> out;
  const auto real = real_name(asked);
  add_targets(real, real != asked, kinds, out);
  if (models_.fallbacks.empty())
    return out;
  // Fallbacks are looked up by the name that the client used, then by what it stands for.
  auto chain = models_.fallbacks.find(std::string{asked});
  if (chain == models_.fallbacks.end())
    chain = models_.fallbacks.find(std::string{real});
  if (chain != models_.fallbacks.end())
    for (const auto& next : chain->second)
      add_targets(real_name(next), true, kinds, out);
  return out;
}

} // namespace troupe
