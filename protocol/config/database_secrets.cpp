#include "protocol/config/database_secrets.hpp"

#include "protocol/config/database_document.hpp"
#include "protocol/config/names.hpp"
#include "protocol/config/values.hpp"

#include <algorithm>
#include <utility>

namespace troupe::config {

namespace {

constexpr std::string_view mask = "***";

using secrets = std::vector<secret>;

/// Also our older mask, of which both ends are seen: `abc***xyz`.
bool is_masked(const node& value) {
  const std::string_view text = value.text;
  return value.kind == node_kind::text && !text.empty()
         && (text.find(mask) != std::string_view::npos
             || text.find_first_not_of('*') == std::string_view::npos);
}

/// Calls `visit` with each upstream that is an object and has headers.
template <class Visit>
void for_each_headers(node& document, const Visit& visit) {
  auto* upstreams = member_of(document, "upstreams");
  if (upstreams == nullptr)
    return;
  for (std::size_t i = 0; i < upstreams->items.size(); ++i)
    if (auto* headers = member_of(upstreams->items[i], "headers"))
      visit(i, upstreams->items[i], *headers);
}

/// Calls `visit` with each list of proxies, its path, and the name of its group, if it is of one.
template <class Visit>
void for_each_proxies(node& document, const Visit& visit) {
  auto* egress = member_of(document, "egress");
  if (egress == nullptr)
    return;
  if (auto* proxies = member_of(*egress, "proxies"))
    visit("egress.proxies", std::string_view{}, *proxies);
  auto* groups = member_of(*egress, "groups");
  if (groups == nullptr)
    return;
  for (std::size_t i = 0; i < groups->items.size(); ++i)
    if (auto* proxies = member_of(groups->items[i], "proxies")) {
      const auto* name = groups->items[i].find("name");
      visit("egress.groups[" + std::to_string(i) + "].proxies",
            name == nullptr ? std::string_view{} : std::string_view{name->text}, *proxies);
    }
}

void add_matches(const secrets& list, std::string_view shown, secrets& out) {
  for (const auto& proxy : list)
    if (masked_proxy(proxy.reveal()) == shown
        && std::find(out.begin(), out.end(), proxy) == out.end())
      out.push_back(proxy);
}

/// The proxies that `shown` may mean: those of the same list, or else of any.
secrets meant_by(std::string_view shown, std::string_view group, const egress_settings& now) {
  secrets own, any;
  if (group.empty())
    add_matches(now.proxies, shown, own);
  add_matches(now.proxies, shown, any);
  for (const auto& g : now.groups) {
    if (!group.empty() && g.name == group)
      add_matches(g.proxies, shown, own);
    add_matches(g.proxies, shown, any);
  }
  return own.empty() ? any : own;
}

void unmask_proxies(node& list, const std::string& path, std::string_view group,
                    const egress_settings& now, config_problems& problems) {
  const auto before = list.items; // masks are counted as they came
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    auto& item = list.items[i];
    if (!is_masked(item))
      continue;
    const auto meant = meant_by(item.text, group, now);
    const auto is_same = [&](const node& other) { return other.text == item.text; };
    const auto here = before.begin() + static_cast<std::ptrdiff_t>(i);
    const auto place = static_cast<std::size_t>(std::count_if(before.begin(), here, is_same));
    const auto all = static_cast<std::size_t>(std::ranges::count_if(before, is_same));
    if (meant.size() == 1 || (!meant.empty() && meant.size() == all))
      item.text = meant[meant.size() == 1 ? 0 : place].reveal();
    else
      add_problem(problems, path, "masked_secret",
                  "element " + std::to_string(i) + " is masked, which keeps the one that is there, "
                      + (meant.empty() ? "and there is none"
                                       : "and there are several that differ in user or password"));
  }
}

} // namespace

void mask_secrets(node& document) {
  for_each_headers(document, [](std::size_t, const node&, node& headers) {
    for (auto& h : headers.members)
      if (h.value.kind == node_kind::text)
        h.value.text = mask;
  });
  for_each_proxies(document, [](const std::string&, std::string_view, node& proxies) {
    for (auto& item : proxies.items)
      if (item.kind == node_kind::text)
        item.text = fault_of_proxy(item.text).empty() ? masked_proxy(item.text) : mask;
  });
}

void unmask_secrets(node& document, const settings& now, config_problems& problems) {
  for_each_headers(document, [&](std::size_t i, const node& upstream, node& headers) {
    const auto* name = upstream.find("name");
    const auto known = std::ranges::find(now.upstreams, name == nullptr ? "" : name->text,
                                         &upstream_settings::name);
    for (auto& h : headers.members) {
      if (!is_masked(h.value))
        continue;
      const auto header = lower(h.name);
      if (known != now.upstreams.end() && known->headers.contains(header))
        h.value.text = known->headers.at(header).reveal();
      else
        add_problem(problems, "upstreams[" + std::to_string(i) + "].headers", "masked_secret",
                    "the value of " + printable_name(header)
                        + " is masked, which keeps the one that is there, and there is none");
    }
  });
  for_each_proxies(document, [&](const std::string& path, std::string_view group, node& proxies) {
    unmask_proxies(proxies, path, group, now.egress, problems);
  });
}

} // namespace troupe::config
