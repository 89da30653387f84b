#include "tests/vector_runner/matcher.hpp"

#include <nlohmann/json.hpp>

#include <regex>
#include <set>

namespace troupe::vectors {
namespace {

std::string shown(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.rfind(prefix, 0) == 0;
}

bool ends_with(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size()
         && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

bool is_placeholder(const std::string& text) {
  return text == "<any>" || text == "<str>" || text == "<int>"
         || ((starts_with(text, "<re:") || starts_with(text, "<bind:")) && text.back() == '>');
}

bool full_match(const json& got, const std::string& regex) {
  return got.is_string() && std::regex_match(got.get<std::string>(), std::regex(regex));
}

bool same_number(const json& a, const json& b) {
  if (a.is_number_integer() && b.is_number_integer())
    return a == b;
  return a.get<double>() == b.get<double>();
}

std::vector<std::string> keys_of(const json& object) {
  std::vector<std::string> keys;
  for (const auto& member : object.items())
    keys.push_back(member.key());
  return keys;
}

/// Whether the keys of the object at `path` are somebody else's, whose order must stay.
bool has_foreign_keys(const std::string& path) {
  return ends_with(path, ".properties") || path.find(".functionCall.args") != std::string::npos
         || path.find(".functionResponse.response") != std::string::npos;
}

} // namespace

matcher::matcher(bool keep_order) : keep_order_(keep_order) {}
matcher::~matcher() = default;

void matcher::report(std::string path, std::string expected, std::string got) {
  differences_.push_back({std::move(path), std::move(expected), std::move(got)});
}

void matcher::match(const json& expected, const json& got, const std::string& path) {
  if (expected.is_object() && expected.size() == 1 && expected.contains("$json")) {
    match_text_of_json(expected["$json"], got, path);
    return;
  }
  bool same = false;
  if (expected.is_string() && is_placeholder(expected.get<std::string>())) {
    same = match_placeholder(expected.get<std::string>(), got);
  } else if (expected.is_object() && got.is_object()) {
    match_object(expected, got, path);
    return;
  } else if (expected.is_array() && got.is_array()) {
    match_array(expected, got, path);
    return;
  } else if (expected.is_number() && got.is_number()) {
    same = same_number(expected, got);
  } else {
    same = expected.type() == got.type() && expected == got;
  }
  if (!same)
    report(path, shown(expected), shown(got));
}

void matcher::match_object(const json& expected, const json& got, const std::string& path) {
  for (const auto& member : expected.items()) {
    const auto below = path + '.' + member.key();
    if (got.contains(member.key()))
      match(member.value(), got[member.key()], below);
    else
      report(below, shown(member.value()), "(absent)");
  }
  for (const auto& member : got.items())
    if (!expected.contains(member.key()))
      report(path + '.' + member.key(), "(absent)", shown(member.value()));
  if (!keep_order_ || !has_foreign_keys(path))
    return;
  const auto wanted = keys_of(expected), found = keys_of(got);
  if (wanted.size() == found.size() && wanted != found)
    report(path, "keys in the order " + shown(json(wanted)), shown(json(found)));
}

void matcher::match_array(const json& expected, const json& got, const std::string& path) {
  for (std::size_t i = 0; i < std::max(expected.size(), got.size()); ++i) {
    const auto below = path + '[' + std::to_string(i) + ']';
    if (i >= got.size())
      report(below, shown(expected[i]), "(absent)");
    else if (i >= expected.size())
      report(below, "(absent)", shown(got[i]));
    else
      match(expected[i], got[i], below);
  }
}

bool matcher::match_placeholder(const std::string& expected, const json& got) {
  if (expected == "<any>")
    return !got.is_null();
  if (expected == "<str>")
    return got.is_string() && !got.get<std::string>().empty();
  if (expected == "<int>")
    return got.is_number_integer();
  const auto inner = expected.substr(1, expected.size() - 2);
  if (starts_with(inner, "re:"))
    return full_match(got, inner.substr(3));
  return match_binding(inner.substr(5), got);
}

bool matcher::match_binding(const std::string& binding, const json& got) {
  const auto colon = binding.find(':');
  if (colon == std::string::npos)
    return false;
  const auto name = binding.substr(0, colon);
  const auto form = binding.substr(colon + 1);
  if (const auto known = bound_.find(name); known != bound_.end())
    return known->second == shown(got);
  if (form == "int" ? !got.is_number_integer() : !full_match(got, form))
    return false;
  bound_[name] = shown(got);
  return true;
}

void matcher::match_text_of_json(const json& expected, const json& got, const std::string& path) {
  std::optional<json> inner;
  if (got.is_string())
    inner = parse_json(got.get<std::string>());
  if (inner)
    match(expected, *inner, path + ".$json");
  else
    report(path, "a string holding " + shown(expected), shown(got));
}

std::optional<json> parse_json(const std::string& text) {
  std::vector<std::set<std::string>> open;
  bool twice = false;
  const auto note_keys = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start)
      open.emplace_back();
    else if (event == json::parse_event_t::object_end)
      open.pop_back();
    else if (event == json::parse_event_t::key)
      twice |= !open.back().insert(value.get<std::string>()).second;
    return true;
  };
  auto value = json::parse(text, note_keys, false);
  if (value.is_discarded() || twice)
    return std::nullopt;
  return value;
}

} // namespace troupe::vectors
