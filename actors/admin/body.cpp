#include "actors/admin/body.hpp"

#include "protocol/client_error.hpp"
#include "protocol/config/values.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {

namespace {

using json::kind;
using storage::limit_kind;

constexpr std::size_t model_bytes_max = 64;
constexpr std::array limit_kinds{limit_kind::rpm,        limit_kind::tpm, limit_kind::input_tpm,
                                 limit_kind::output_tpm, limit_kind::rpd, limit_kind::tpd,
                                 limit_kind::concurrency};

void read_limits_of(body_reader& of, const std::string& model, std::vector<storage::limit>& out) {
  for (const auto k : limit_kinds) {
    const auto name = to_string(k);
    const auto* value = of.any(name);
    if (value == nullptr || value->what == kind::null)
      continue;
    if (value->what != kind::integer)
      of.fault(name, "wrong_type", "must be a whole number");
    else if (value->whole < 1)
      of.fault(name, "out_of_range", "must be at least 1; leave it out for no limit");
    else
      out.push_back({model, k, static_cast<std::uint64_t>(value->whole)});
  }
}

} // namespace

std::string shown_name(std::string_view name, std::size_t bytes_max) {
  constexpr std::size_t hinted = 8;
  const bool plain =
      std::ranges::all_of(name, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  if (plain && name.size() <= bytes_max)
    return mask_keys(name);
  std::string out;
  for (const char c : name.substr(0, hinted))
    out += c > 0x20 && c < 0x7F ? c : '?';
  return out + "...";
}

body_reader::body_reader(const json::tree& object, std::string path,
                         std::vector<field_problem>& problems)
    : object_(object), path_(std::move(path)), problems_(problems) {
  if (object_.what != kind::object)
    problems_.push_back({path_, "wrong_type",
                         "must be an object and is " + std::string{json::describe(object_.what)}});
}

std::string body_reader::path_of(std::string_view name) const {
  return path_.empty() ? std::string{name} : path_ + '.' + std::string{name};
}

void body_reader::fault(std::string_view name, std::string_view code, std::string text) {
  problems_.push_back({path_of(name), std::string{code}, std::move(text)});
}

void body_reader::wrong_type(std::string_view name, std::string_view wanted, const json::tree& is) {
  fault(name, "wrong_type",
        "must be " + std::string{wanted} + " and is " + std::string{json::describe(is.what)});
}

const json::tree* body_reader::any(std::string_view name) {
  const auto at = std::ranges::find(object_.members, name, &json::tree_member::name);
  if (at == object_.members.end())
    return nullptr;
  taken_.push_back(at->name);
  return &at->value;
}

std::optional<bool> body_reader::boolean(std::string_view name) {
  const auto* value = any(name);
  if (value == nullptr)
    return std::nullopt;
  if (value->what == kind::boolean)
    return value->truth;
  wrong_type(name, "true or false", *value);
  return std::nullopt;
}

std::optional<std::string> body_reader::text(std::string_view name) {
  const auto* value = any(name);
  if (value == nullptr)
    return std::nullopt;
  if (value->what == kind::null)
    return std::string{};
  if (value->what == kind::text)
    return value->text;
  wrong_type(name, "a text", *value);
  return std::nullopt;
}

std::optional<std::vector<std::string>> body_reader::texts(std::string_view name) {
  const auto* value = any(name);
  if (value == nullptr)
    return std::nullopt;
  std::vector<std::string> all;
  if (value->what == kind::null)
    return all;
  if (value->what != kind::list) {
    wrong_type(name, "a list of texts", *value);
    return std::nullopt;
  }
  bool good = true;
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const auto& item = value->items[i];
    if (item.what == kind::text) {
      all.push_back(item.text);
      continue;
    }
    if (good) // one of them tells enough
      wrong_type(std::string{name} + '[' + std::to_string(i) + ']', "a text", item);
    good = false;
  }
  return good ? std::optional{std::move(all)} : std::nullopt;
}

std::optional<std::int64_t> body_reader::integer(std::string_view name, std::int64_t least,
                                                 std::int64_t most) {
  const auto* value = any(name);
  if (value == nullptr)
    return std::nullopt;
  if (value->what != kind::integer) {
    wrong_type(name, "a whole number", *value);
    return std::nullopt;
  }
  if (value->whole < least || value->whole > most) {
    fault(name, "out_of_range",
          "must be from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }
  return value->whole;
}

void body_reader::refuse_rest() {
  constexpr std::size_t told_max = 50;
  std::size_t told = 0;
  for (const auto& m : object_.members)
    if (std::ranges::find(taken_, m.name) == taken_.end() && ++told <= told_max)
      fault(shown_name(m.name), "unknown_field", "is not known here");
}

std::optional<std::vector<storage::limit>> read_limits(body_reader& body) {
  const auto* value = body.any("limits");
  if (value == nullptr)
    return std::nullopt;
  std::vector<storage::limit> all;
  if (value->what == kind::null)
    return all;
  body_reader limits(*value, body.path_of("limits"), body.problems());
  read_limits_of(limits, {}, all);
  const auto* models = limits.any("models");
  if (models != nullptr && models->what == kind::object) {
    for (const auto& m : models->members) {
      const auto shown = shown_name(m.name, model_bytes_max);
      if (m.name.empty())
        limits.fault("models", "invalid_value", "the name of a model must not be empty");
      body_reader of(m.value, limits.path_of("models." + shown), body.problems());
      read_limits_of(of, m.name, all);
      of.refuse_rest();
    }
  } else if (models != nullptr && models->what != kind::null) {
    limits.fault("models", "wrong_type", "must be an object of limits by model");
  }
  limits.refuse_rest();
  return all;
}

std::optional<std::int64_t> read_span(body_reader& body, std::string_view name) {
  const auto* value = body.any(name);
  if (value == nullptr) {
    body.fault(name, "missing", "is needed: a duration such as \"10m\"");
    return std::nullopt;
  }
  const auto span = value->what == kind::text ? config::parse_duration(value->text) : std::nullopt;
  if (!span) {
    body.fault(name, value->what == kind::text ? "invalid_value" : "wrong_type",
               "must be a duration such as \"10m\"");
    return std::nullopt;
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(*span).count();
  if (ms >= 1)
    return ms;
  body.fault(name, "out_of_range", "must be at least 1ms");
  return std::nullopt;
}

} // namespace troupe
