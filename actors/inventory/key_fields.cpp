#include "actors/inventory/field_rules.hpp"
#include "actors/inventory/key_table.hpp"

#include <algorithm>
#include <array>

// What may be said of a key, judged in one place, whoever says it.

namespace troupe {

namespace {

constexpr std::uint32_t weight_max = 1'000;
constexpr std::int32_t tier_max = 100;

} // namespace

std::optional<refused> key_table::refuse(const key_fields& f) const {
  field_rules j;
  if (f.upstream && !upstreams_.contains(*f.upstream)) {
    std::string names;
    for (const auto& [name, limits] : upstreams_)
      names += (names.empty() ? "" : ", ") + name;
    j.fault("upstream", "invalid_value", "must be one of the upstreams: " + names);
  }
  if (f.kind && !f.kind->empty()) {
    constexpr std::array kinds{"gemini", "vertex", "openai", "anthropic"};
    if (std::ranges::find(kinds, *f.kind) == kinds.end())
      j.fault("kind", "invalid_value", "must be gemini, vertex, openai or anthropic");
  }
  j.text(f.name, "name");
  j.note(f.note);
  if (f.domain && !f.domain->empty())
    j.label(*f.domain, "domain");
  j.labels(f.groups, "groups");
  j.labels(f.tags, "tags");
  if (f.weight && (*f.weight == 0 || *f.weight > weight_max))
    j.fault("weight", "out_of_range", "must be from 1 to " + std::to_string(weight_max));
  if (f.tier && (*f.tier < -tier_max || *f.tier > tier_max))
    j.fault("tier", "out_of_range",
            "must be from -" + std::to_string(tier_max) + " to " + std::to_string(tier_max));
  j.limits(f.limits);
  j.proxy(f.proxy);
  return j.verdict("The key's fields are not valid.");
}

void key_table::apply(const key_fields& f, entry& e) const {
  const auto take = [](const auto& from, auto& to) {
    if (from)
      to = *from;
  };
  take(f.enabled, e.item.enabled);
  take(f.upstream, e.item.upstream);
  take(f.kind, e.item.kind);
  take(f.name, e.item.name);
  take(f.domain, e.item.domain);
  take(f.note, e.item.note);
  take(f.groups, e.item.groups);
  take(f.tags, e.item.tags);
  take(f.weight, e.item.weight);
  take(f.tier, e.item.tier);
  take(f.limits, e.item.limits);
  take(f.proxy, e.proxy);
}

std::string shown_proxy(const secret& proxy) {
  const auto text = proxy.reveal();
  const auto scheme_end = text.find("://");
  const auto at = text.rfind('@');
  if (scheme_end == std::string_view::npos || at == std::string_view::npos || at < scheme_end)
    return std::string{text};
  return std::string{text.substr(0, scheme_end + 3)} + std::string{text.substr(at + 1)};
}

} // namespace troupe
