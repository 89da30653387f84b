#include "protocol/config/compare.hpp"

#include "protocol/config/builder.hpp"

#include <algorithm>
#include <type_traits>

namespace troupe::config {

namespace {

/// Whether two fields of one option hold the same; secrets by their characters.
bool same(const field& a, const field& b) {
  return std::visit(
      [&b](const auto& left) {
        using kind = std::decay_t<decltype(left)>;
        const auto* right = std::get_if<kind>(&b);
        if (right == nullptr)
          return false;
        if constexpr (std::is_same_v<kind, choice_field>)
          return left.get(left.target) == right->get(right->target);
        else if constexpr (std::is_same_v<kind, switches_field>)
          return std::ranges::equal(left, *right,
                                    [](const bool* x, const bool* y) { return *x == *y; });
        else if constexpr (std::is_same_v<kind, std::monostate>)
          return true;
        else
          return *left == **right;
      },
      a);
}

/// Binding asks for a changeable object, and changes nothing.
field bound(const option& o, const settings& s, std::size_t index) {
  return o.bind(const_cast<settings&>(s), index); // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

std::string value_or_null(const option& o, const settings& s, std::size_t i) {
  return i < elements_of(s, o) ? show(o, s, i) : "null";
}

template <class Visit>
void for_each_value(const settings& a, const settings& b, const Visit& visit) {
  for (const auto& o : options()) {
    if (o.type == option_type::objects)
      continue;
    for (std::size_t i = 0; i < std::max(elements_of(a, o), elements_of(b, o)); ++i)
      visit(o, i);
  }
}

std::string_view type_name(option_type t) {
  switch (t) {
  case option_type::boolean:
    return "boolean";
  case option_type::integer:
    return "integer";
  case option_type::span:
    return "duration";
  case option_type::bytes:
    return "size";
  case option_type::text:
    return "text";
  case option_type::path:
    return "path";
  case option_type::url:
    return "url";
  case option_type::address:
    return "address";
  case option_type::choice:
    return "choice";
  case option_type::choices:
    return "choices";
  case option_type::texts:
    return "texts";
  case option_type::origins:
    return "origins";
  case option_type::secrets:
    return "secrets";
  case option_type::secret_text:
    return "secret";
  case option_type::digest:
    return "digest";
  case option_type::zone:
    return "zone";
  case option_type::header_names:
    return "header_names";
  case option_type::proxies:
    return "proxies";
  case option_type::headers:
    return "headers";
  case option_type::limits:
    return "limits";
  case option_type::aliases:
    return "aliases";
  case option_type::fallbacks:
    return "fallbacks";
  case option_type::objects:
    return "objects";
  case option_type::json:
    return "json";
  }
  return "unknown";
}

/// An element of a list that was given whole has its list's origin.
config_origin origin_of(const loaded_settings& loaded, const std::string& path) {
  auto origin = loaded.origin_of(path);
  if (origin.layer == config_layer::defaults)
    if (const auto bracket = path.find('['); bracket != std::string::npos)
      origin = loaded.origin_of(path.substr(0, bracket));
  return origin;
}

} // namespace

std::size_t elements_of(const settings& s, const option& o) {
  const auto brackets = o.path.find("[]");
  return brackets == std::string_view::npos ? 1 : list_size(s, o.path.substr(0, brackets));
}

bool differs(const option& o, const settings& a, const settings& b, std::size_t index) {
  const bool in_a = index < elements_of(a, o);
  const bool in_b = index < elements_of(b, o);
  return in_a != in_b || (in_a && !same(bound(o, a, index), bound(o, b, index)));
}

std::vector<setting_change> changes_between(const layered& before, const layered& after) {
  std::vector<setting_change> changes;
  for_each_value(before.all.values, after.all.values, [&](const option& o, std::size_t i) {
    const auto path = path_of(o, i);
    const auto from = before.all.origin_of(path).layer;
    const auto to = after.all.origin_of(path).layer;
    const bool said = before.alone.origins.contains(path);
    const bool says = after.alone.origins.contains(path);
    if (from == to && said == says && !differs(o, before.all.values, after.all.values, i)
        && !(says && differs(o, before.alone.values, after.alone.values, i)))
      return;
    changes.push_back({path, value_or_null(o, before.all.values, i),
                       value_or_null(o, after.all.values, i), from, to, o.live});
  });
  return changes;
}

std::vector<std::string> differing_options(const loaded_settings& a, const loaded_settings& b,
                                           applies how) {
  std::vector<std::string> paths;
  for_each_value(a.values, b.values, [&](const option& o, std::size_t i) {
    if (o.live == (how == applies::live) && differs(o, a.values, b.values, i))
      paths.push_back(path_of(o, i));
  });
  return paths;
}

std::vector<setting_description> describe_settings(const loaded_settings& loaded) {
  std::vector<setting_description> all;
  for (const auto& o : options()) {
    if (o.type == option_type::objects)
      continue;
    for (std::size_t i = 0; i < elements_of(loaded.values, o); ++i) {
      setting_description d;
      d.path = path_of(o, i);
      d.value = show(o, loaded.values, i);
      d.fallback = o.fallback.empty() ? "null" : std::string{o.fallback};
      d.type = type_name(o.type);
      d.allowed = allowed(o);
      d.doc = o.doc;
      d.live = o.live;
      const auto origin = origin_of(loaded, d.path);
      d.fixed =
          origin.layer == config_layer::environment || origin.layer == config_layer::command_line;
      d.layer = to_string(origin.layer);
      d.source = troupe::to_string(origin);
      all.push_back(std::move(d));
    }
  }
  return all;
}

std::string_view to_string(config_layer layer) {
  switch (layer) {
  case config_layer::defaults:
    return "default";
  case config_layer::file:
    return "file";
  case config_layer::database:
    return "database";
  case config_layer::environment:
    return "environment";
  case config_layer::command_line:
    return "command_line";
  }
  return "unknown";
}

} // namespace troupe::config
