#include "protocol/config/builder.hpp"

#include "protocol/config/names.hpp"
#include "protocol/config/store.hpp"

#include <algorithm>

namespace troupe::config {

namespace {

/// Beyond, nobody reads on, and a wrong file of megabytes must not take minutes to refuse.
constexpr std::size_t problems_max = 100;

/// What an upstream is called, and where it is, if nobody says so.
struct kind_defaults {
  std::string_view name, base_url;
};

kind_defaults defaults_of(upstream_kind kind) {
  switch (kind) {
  case upstream_kind::gemini:
    return {"gemini", "https://generativelanguage.googleapis.com"};
  case upstream_kind::vertex:
    return {"vertex", "https://aiplatform.googleapis.com"};
  case upstream_kind::openai:
    return {"openai", "https://api.openai.com"};
  case upstream_kind::anthropic:
    return {"anthropic", "https://api.anthropic.com"};
  }
  return {};
}

bool given(const node& object, std::string_view name) {
  const auto* value = object.find(name);
  return value != nullptr && value->kind != node_kind::null;
}

bool is_section(std::string_view path) {
  const auto all = options();
  return std::any_of(all.begin(), all.end(), [&](const option& o) {
    return o.path.size() > path.size() && o.path.starts_with(path) && o.path[path.size()] == '.';
  });
}

/// The names that may stand right below `prefix` (empty, or ending in a dot).
std::vector<std::string_view> names_below(std::string_view prefix) {
  std::vector<std::string_view> names;
  for (const auto& o : options()) {
    if (!o.path.starts_with(prefix))
      continue;
    const auto rest = o.path.substr(prefix.size());
    const auto name = rest.substr(0, rest.find_first_of(".["));
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  return names;
}

/// The option that has `name` as its last part, wherever it is.
std::string_view elsewhere(std::string_view name) {
  for (const auto& o : options())
    if (o.path.size() > name.size() && o.path.ends_with(name)
        && o.path[o.path.size() - name.size() - 1] == '.')
      return o.path;
  return {};
}

std::string generic(std::string path) {
  for (auto open = path.find('['); open != std::string::npos; open = path.find('[', open + 1))
    path.erase(open + 1, path.find(']', open) - open - 1);
  return path;
}

} // namespace

std::string path_of(const option& o, std::size_t index) {
  std::string path{o.path};
  if (const auto brackets = path.find("[]"); brackets != std::string::npos)
    path.insert(brackets + 1, std::to_string(index));
  return path;
}

void builder::problem(const place& from, std::size_t line, std::string option, std::string text,
                      std::string code) {
  if (out_.problems.size() == problems_max)
    out_.problems.push_back(
        {from.source, 0, {}, "there is more that is wrong, not told here", "more"});
  if (out_.problems.size() > problems_max)
    return;
  if (!from.variable.empty())
    option += option.empty() ? from.variable : " (" + from.variable + ')';
  out_.problems.push_back({from.source, from.lines ? line : from.line, std::move(option),
                           std::move(text), std::move(code)});
}

void builder::apply_object(const node& object, const place& from) {
  if (object.kind != node_kind::object)
    return problem(from, object.line, {}, "the file must hold one object, in braces", "wrong_type");
  apply_members(object, {}, from);
}

void builder::apply_members(const node& object, const std::string& prefix, const place& from) {
  for (const auto& m : object.members) {
    const auto path = prefix + m.name;
    if (from.layer == config_layer::file && path == "$schema")
      continue; // how editors find the schema of this file
    // A name with a dot or bracket of its own must not reach an option by another way.
    const bool plain = m.name.find_first_of(".[]") == std::string::npos && !m.name.empty();
    const auto* o = plain ? find_option(path) : nullptr;
    if (o != nullptr) {
      const auto open = path.find('[');
      const auto index = open == std::string::npos
                             ? 0
                             : std::stoul(path.substr(open + 1, path.find(']') - open - 1));
      apply(*o, index, m.value, from);
    } else if (plain && is_section(generic(path))) {
      if (m.value.kind == node_kind::object)
        apply_members(m.value, path + '.', from);
      else if (m.value.kind != node_kind::null)
        problem(from, m.value.line, path,
                "must be an object; this is " + std::string{describe(m.value.kind)}, "wrong_type");
    } else {
      unknown(m, prefix, from);
    }
  }
}

void builder::unknown(const member& m, const std::string& prefix, const place& from) {
  if (out_.problems.size() > problems_max)
    return;
  std::string text = printable_name(m.name) + " is not an option";
  const auto names = names_below(generic(prefix));
  if (const auto near = nearest_name(m.name, names); !near.empty())
    text += "; did you mean \"" + std::string{near} + "\"?";
  else if (const auto other = elsewhere(m.name); !m.name.empty() && !other.empty())
    text += " here; there is " + std::string{other};
  auto where = prefix.empty() ? prefix : prefix.substr(0, prefix.size() - 1);
  // A file has lines; what a program sent is found by its path alone.
  if (from.layer == config_layer::database && printable_name(m.name).starts_with('"'))
    where = prefix + m.name;
  problem(from, m.line, std::move(where), std::move(text), "unknown_option");
}

void builder::apply_objects(const option& list, const node& value, const place& from) {
  const std::string path{list.path};
  if (value.kind != node_kind::list)
    return problem(from, value.line, path,
                   "must be a list of objects; this is " + std::string{describe(value.kind)},
                   "wrong_type");
  const auto most = list_size_max(path);
  if (value.items.size() > most)
    return problem(from, value.line, path, "holds more than " + std::to_string(most) + " elements",
                   "out_of_range");
  std::erase_if(out_.origins, [&](const auto& o) { return o.first.starts_with(path + '['); });
  resize_list(out_.values, path, 0);
  resize_list(out_.values, path, value.items.size());
  set_origin(path, from, from.lines ? value.line : from.line);
  if (path == "upstreams")
    for (auto& u : out_.values.upstreams)
      u.name.clear(); // the built-in name is not theirs
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const auto& item = value.items[i];
    const auto element = path + '[' + std::to_string(i) + ']';
    if (item.kind != node_kind::object) {
      problem(from, item.line, element,
              "must be an object; this is " + std::string{describe(item.kind)}, "wrong_type");
      continue;
    }
    apply_members(item, element + '.', from);
    for (const auto& o : options())
      if (o.required && o.path.starts_with(path + "[].")) {
        const auto name = o.path.substr(path.size() + 3);
        if (!given(item, name))
          problem(from, item.line, element, "needs a \"" + std::string{name} + '"', "missing");
      }
    if (path == "upstreams") {
      auto& u = out_.values.upstreams[i];
      if (!given(item, "base_url"))
        u.base_url = defaults_of(u.kind).base_url;
    }
  }
}

bool builder::apply(const option& o, std::size_t index, const node& value, const place& from) {
  if (value.kind == node_kind::null)
    return true;
  const auto path = path_of(o, index);
  const auto before = out_.problems.size();
  if (o.type == option_type::objects) {
    apply_objects(o, value, from);
  } else {
    const auto outcome = store(o, o.bind(out_.values, index), value, from.lenient);
    for (const auto& fault : outcome.faults)
      problem(from, fault.line, path, fault.text, std::string{fault.code});
    const auto source = from.variable.empty() ? from.source : from.variable;
    if (outcome.placeholders > 0 && from.lenient)
      warn(source + ": left out " + std::to_string(outcome.placeholders)
           + (outcome.placeholders == 1 ? " placeholder" : " placeholders")
           + " of an example; no key and no credential comes from it");
    if (outcome.repeated > 0)
      warn(path + ": " + std::to_string(outcome.repeated) + " repeated in " + source
           + ", counted once");
  }
  if (out_.problems.size() != before)
    return false;
  set_origin(path, from, from.lines ? value.line : from.line);
  return true;
}

bool builder::apply_text(std::string_view path, std::string_view text, const place& from,
                         std::size_t index) {
  const auto* o = find_option(path);
  TROUPE_ASSERT(o != nullptr);
  config_problems unread;
  const auto value = node_from_text(*o, text, unread);
  for (auto& p : unread)
    problem(from, 0, path_of(*o, index), "is JSON that cannot be read: " + p.text, "invalid_json");
  if (!unread.empty() || !value)
    return false;
  auto without_lines = from;
  without_lines.lines = false;
  return apply(*o, index, *value, without_lines);
}

void builder::set_keys(std::size_t upstream, std::vector<secret> keys, const place& from) {
  out_.values.upstreams[upstream].keys = std::move(keys);
  set_origin("upstreams[" + std::to_string(upstream) + "].keys", from, from.line);
}

void builder::set_origin(const std::string& path, const place& from, std::size_t line) {
  const auto source = from.variable.empty() ? from.source : from.variable + " in " + from.source;
  out_.origins[path] = {from.layer, source, line};
}

std::size_t builder::upstream_of(upstream_kind kind) {
  auto& all = out_.values.upstreams;
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const upstream_settings& u) { return u.kind == kind; });
  if (found != all.end())
    return static_cast<std::size_t>(found - all.begin());
  auto& made = all.emplace_back();
  made.kind = kind;
  made.name = defaults_of(kind).name;
  made.base_url = defaults_of(kind).base_url;
  return all.size() - 1;
}

namespace {

node text_node(std::string_view text) {
  node n;
  n.kind = node_kind::text;
  n.text = text;
  return n;
}

node boolean_node(std::string_view text) {
  const auto word = lower(text);
  node n;
  n.kind = node_kind::boolean;
  for (const auto yes : {"true", "1", "yes", "on"})
    n.truth = n.truth || word == yes;
  for (const auto no : {"false", "0", "no", "off"})
    if (word == no)
      return n;
  return n.truth ? n : text_node(text);
}

/// Keys and proxies may also be separated by white space: they hold none, and files have one per
/// line.
node comma_list(const option& o, std::string_view text) {
  node n;
  n.kind = node_kind::list;
  std::string separated{text};
  if (o.type == option_type::secrets || o.type == option_type::proxies)
    for (auto& c : separated)
      c = c == ' ' || c == '\t' || c == '\r' || c == '\n' ? ',' : c;
  for (const auto part : split(separated, ','))
    if (!part.empty())
      n.items.push_back(text_node(part));
  return n;
}

} // namespace

std::optional<node> node_from_text(const option& o, std::string_view text,
                                   config_problems& problems) {
  text = trimmed(text);
  const bool json = text.starts_with('[') || text.starts_with('{');
  switch (o.type) {
  case option_type::boolean:
    return boolean_node(text);
  case option_type::integer: {
    config_problems not_a_number; // then it is a text, and refused as such
    auto number = read_document(text, {}, not_a_number);
    return number && number->kind == node_kind::integer ? *number : text_node(text);
  }
  case option_type::choices:
  case option_type::texts:
  case option_type::origins:
  case option_type::header_names:
  case option_type::secrets:
  case option_type::proxies:
    return json ? read_document(text, {}, problems) : comma_list(o, text);
  case option_type::headers:
  case option_type::limits:
  case option_type::aliases:
  case option_type::fallbacks:
  case option_type::objects:
  case option_type::json:
    return read_document(text, {}, problems);
  default:
    return text_node(text);
  }
}

} // namespace troupe::config
