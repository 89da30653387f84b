#include "protocol/config/options.hpp"

#include "protocol/config/document.hpp"
#include "protocol/config/names.hpp"
#include "protocol/config/values.hpp"

#include <algorithm>
#include <type_traits>

namespace troupe::config {

namespace {

/// `a[2].b` becomes `a[].b`.
std::string without_indexes(std::string_view path) {
  std::string out;
  bool inside = false;
  for (const char c : path) {
    inside = inside && c != ']';
    if (!inside)
      out += c;
    inside = inside || c == '[';
  }
  return out;
}

std::string range(const option& o, std::string (*print)(std::int64_t)) {
  const bool open = o.most == std::numeric_limits<std::int64_t>::max();
  return open ? "from " + print(o.least) : "from " + print(o.least) + " to " + print(o.most);
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string out;
  for (const auto word : words)
    out += (out.empty() ? "" : ", ") + std::string{word};
  return out;
}

template <class List, class Print>
std::string json_list(const List& list, Print print) {
  std::string out;
  for (const auto& item : list)
    out += (out.empty() ? "" : ",") + print(item);
  return '[' + out + ']';
}

template <class Map, class Print>
std::string json_object(const Map& map, Print print) {
  std::string out;
  for (const auto& [name, value] : map)
    out += (out.empty() ? "" : ",") + quoted(name) + ':' + print(value);
  return '{' + out + '}';
}

/// Calls `f` with the list of objects that has the path, which is one of the table.
template <class Settings, class F>
auto with_list(Settings& s, std::string_view list, F f) {
  if (list == "upstreams")
    return f(s.upstreams);
  if (list == "egress.groups")
    return f(s.egress.groups);
  if (list == "models.routes")
    return f(s.models.routes);
  if (list == "credentials.clients")
    return f(s.credentials.clients);
  return f(s.credentials.admins);
}

/// Prints the value of any field; the option tells numbers of bytes from counts.
struct printer {
  const option& o;

  std::string operator()(const bool* v) const { return *v ? "true" : "false"; }
  std::string operator()(const std::uint32_t* v) const { return std::to_string(*v); }
  std::string operator()(const std::size_t* v) const {
    return o.type == option_type::bytes ? quoted(format_bytes(*v)) : std::to_string(*v);
  }
  std::string operator()(const duration* v) const { return quoted(format_duration(*v)); }
  std::string operator()(const std::string* v) const {
    if (o.type == option_type::json)
      return v->empty() ? "[]" : *v;
    if (o.type == option_type::digest && v->empty())
      return "null";
    return quoted(*v);
  }
  std::string operator()(const std::vector<std::string>* v) const {
    return json_list(*v, [](const std::string& s) { return quoted(s); });
  }
  std::string operator()(const std::vector<secret>* v) const {
    const bool proxies = o.type == option_type::proxies;
    return json_list(*v, [&](const secret& s) {
      return proxies ? quoted(masked_proxy(s.reveal())) : std::string{R"("***")"};
    });
  }
  std::string operator()(const secret* v) const { return v->empty() ? "null" : R"("***")"; }
  std::string operator()(const std::map<std::string, secret>* v) const {
    return json_object(*v, [](const secret&) { return std::string{R"("***")"}; });
  }
  std::string operator()(const std::map<std::string, std::string>* v) const {
    return json_object(*v, [](const std::string& s) { return quoted(s); });
  }
  std::string operator()(const std::map<std::string, std::vector<std::string>>* v) const {
    return json_object(*v, [this](const auto& list) { return (*this)(&list); });
  }
  std::string operator()(const std::vector<limit>* v) const {
    std::map<std::string, std::map<std::string, std::uint64_t>> by_model;
    for (const auto& l : *v)
      by_model[l.model].emplace(troupe::to_string(l.kind), l.amount);
    const auto whole = [](std::uint64_t amount) { return std::to_string(amount); };
    auto out = json_object(by_model[std::string{}], whole);
    by_model.erase(std::string{});
    if (by_model.empty())
      return out;
    out.pop_back();
    return out + (out.size() > 1 ? "," : "") + R"("models":)"
           + json_object(by_model, [&](const auto& of) { return json_object(of, whole); }) + '}';
  }
  std::string operator()(const listen_address* v) const { return quoted(to_string(*v)); }
  std::string operator()(const choice_field& v) const {
    return quoted(choices_of(o).at(v.get(v.target)));
  }
  std::string operator()(const switches_field& v) const {
    std::vector<std::string_view> on;
    for (std::size_t i = 0; i < v.size(); ++i)
      if (*v[i])
        on.push_back(choices_of(o).at(i));
    return json_list(on, [](std::string_view s) { return quoted(s); });
  }
  std::string operator()(std::monostate) const { return {}; }
};

} // namespace

const option* find_option(std::string_view path) {
  const auto wanted = without_indexes(path);
  const auto all = options();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const option& o) { return o.path == wanted; });
  return found == all.end() ? nullptr : &*found;
}

std::string environment_name(const option& o) {
  if (o.path.find('[') != std::string_view::npos)
    return {};
  std::string name = "TROUPE_";
  for (const char c : o.path)
    name += c == '.' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

std::vector<std::string_view> choices_of(const option& o) {
  return split(o.choices, '|');
}

std::size_t list_size(const settings& s, std::string_view list) {
  return with_list(s, list, [](const auto& objects) { return objects.size(); });
}

void resize_list(settings& s, std::string_view list, std::size_t count) {
  with_list(s, list, [count](auto& objects) { objects.resize(count); });
}

std::size_t list_size_max(std::string_view list) {
  if (list == "upstreams")
    return 64;
  return list.starts_with("credentials.") ? 100'000 : 1'000;
}

std::string allowed(const option& o) {
  using print = std::string (*)(std::int64_t);
  const print plain = [](std::int64_t v) { return std::to_string(v); };
  const print span = [](std::int64_t v) { return format_duration(std::chrono::milliseconds{v}); };
  const print size = [](std::int64_t v) { return format_bytes(static_cast<std::uint64_t>(v)); };
  switch (o.type) {
  case option_type::boolean:
    return "true or false";
  case option_type::integer:
    return "a whole number " + range(o, plain);
  case option_type::span:
    return R"(a duration such as "250ms" or "5m", )" + range(o, span);
  case option_type::bytes:
    return R"(a size such as "64KiB" or 65536, )" + range(o, size);
  case option_type::text:
    return "a text of letters, digits, dots, dashes and underscores";
  case option_type::path:
    return "a path";
  case option_type::url:
    return "an http or https URL";
  case option_type::address:
    return R"(a numeric address and a port, such as "127.0.0.1:8080" or "[::1]:8080")";
  case option_type::choice:
    return "one of " + joined(choices_of(o));
  case option_type::choices:
    return "a list of some of " + joined(choices_of(o));
  case option_type::texts:
    return "a list of texts";
  case option_type::origins:
    return R"(a list of origins such as "https://chat.example.org", or "*")";
  case option_type::secrets:
    return "a list of keys: printable characters without spaces";
  case option_type::secret_text:
    return "a text of at least 8 printable characters without spaces";
  case option_type::digest:
    return "64 hex digits";
  case option_type::zone:
    return R"(the name of a time zone, such as "Europe/Berlin" or "UTC")";
  case option_type::header_names:
    return "a list of names of headers";
  case option_type::proxies:
    return R"(a list of proxies such as "http://host:3128" or "socks5://user:password@host:1080")";
  case option_type::limits:
    return R"(an object of limits such as {"rpm": 10, "models": {"gemini-2.5-pro": {"rpd": 50}}})";
  case option_type::aliases:
    return R"(an object of names and models, such as {"fast": "gemini-2.5-flash"})";
  case option_type::fallbacks:
    return "an object of models and lists of models";
  case option_type::headers:
    return "an object of header names and texts";
  case option_type::objects:
  case option_type::json:
    return "a list of objects";
  }
  return {};
}

std::string show(const option& o, const settings& s, std::size_t index) {
  // The fields are only read: binding wants a mutable object because parsing shares it.
  return std::visit(printer{o}, o.bind(const_cast<settings&>(s), index));
}

} // namespace troupe::config
