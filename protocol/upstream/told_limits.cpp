#include "protocol/upstream/told_limits.hpp"

#include "protocol/upstream/retry_words.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace troupe::upstream {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

std::optional<std::uint64_t> sensible(std::uint64_t amount) {
  return amount == 0 || amount > told_limit_max ? std::nullopt : std::optional{amount};
}

std::optional<std::uint64_t> read_amount(std::string_view text) {
  std::uint64_t amount = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, amount);
  return error == std::errc{} && stop == end ? sensible(amount) : std::nullopt;
}

void note(std::vector<told_limit>& told, limit_kind kind, std::optional<std::uint64_t> amount,
          std::string_view model = {}) {
  if (!amount)
    return;
  const auto known = std::find_if(told.begin(), told.end(), [&](const told_limit& t) {
    return t.kind == kind && t.model == model;
  });
  if (known == told.end())
    told.push_back({.kind = kind, .amount = *amount, .model = std::string{model}});
  else
    known->amount = std::min(known->amount, *amount);
}

/// What `x-ratelimit-limit-REST` counts; nothing if we do not know such a limit.
std::optional<limit_kind> openai_kind(std::string_view rest, std::span<const header_field> fields) {
  bool of_day = false, of_minute = false;
  auto counted = rest;
  if (ends_with(rest, "-day")) {
    of_day = true;
    counted.remove_suffix(4);
  } else if (ends_with(rest, "-minute")) {
    of_minute = true;
    counted.remove_suffix(7);
  }
  const bool requests = counted.size() == 8 && begins_with(counted, "requests");
  if (!requests && !(counted.size() == 6 && begins_with(counted, "tokens")))
    return std::nullopt;
  if (!of_day && !of_minute) {
    // No clock is needed: only spans are read here, an instant is not known to be far.
    const auto reset = read_duration(value_of(fields, "x-ratelimit-reset-" + std::string{rest}));
    of_day = reset >= std::chrono::hours{1} && reset < std::chrono::hours{48};
  }
  if (requests)
    return of_day ? limit_kind::rpd : limit_kind::rpm;
  return of_day ? limit_kind::tpd : limit_kind::tpm;
}

void read_openai(std::span<const header_field> fields, std::vector<told_limit>& told) {
  constexpr std::string_view prefix = "x-ratelimit-limit-";
  for (const auto& field : fields)
    if (begins_with(field.name, prefix))
      if (const auto kind = openai_kind(field.name.substr(prefix.size()), fields))
        note(told, *kind, read_amount(field.value));
}

void read_anthropic(std::span<const header_field> fields, std::vector<told_limit>& told) {
  static constexpr std::array<std::pair<std::string_view, limit_kind>, 3> names{{
      {"anthropic-ratelimit-requests-limit", limit_kind::rpm},
      {"anthropic-ratelimit-input-tokens-limit", limit_kind::input_tpm},
      {"anthropic-ratelimit-output-tokens-limit", limit_kind::output_tpm},
  }};
  for (const auto& [name, kind] : names)
    note(told, kind, read_amount(value_of(fields, name)));
}

std::string_view text_of(const object& o, std::string_view name) {
  std::string_view text;
  return o[name].get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// What a quota counts, by its id and metric (docs/protocol/gemini.md section 6).
std::optional<limit_kind> quota_kind(std::string_view id, std::string_view metric) {
  const bool day = contains(id, "PerDay") || contains(metric, "per_day");
  const bool minute = contains(id, "PerMinute") || contains(metric, "per_minute");
  if (day == minute)
    return std::nullopt;
  const bool tokens = contains(id, "Tokens") || contains(metric, "token_count");
  const bool input = contains(id, "InputTokens") || contains(metric, "input_token_count");
  if (tokens && day)
    return limit_kind::tpd;
  if (tokens)
    return input ? limit_kind::input_tpm : limit_kind::tpm;
  if (!contains(id, "Requests") && !contains(metric, "requests"))
    return std::nullopt;
  return day ? limit_kind::rpd : limit_kind::rpm;
}

void read_violation(const object& violation, std::vector<told_limit>& told) {
  const auto kind = quota_kind(text_of(violation, "quotaId"), text_of(violation, "quotaMetric"));
  if (!kind)
    return;
  std::uint64_t number = 0;
  const auto amount = violation["quotaValue"].get(number)
                          ? read_amount(text_of(violation, "quotaValue"))
                          : sensible(number);
  object dimensions;
  std::string_view model;
  if (!violation["quotaDimensions"].get(dimensions))
    model = text_of(dimensions, "model");
  if (model.starts_with("models/"))
    model.remove_prefix(7);
  note(told, *kind, amount, model);
}

void read_violations(const object& error, std::vector<told_limit>& told) {
  array details, violations;
  if (error["details"].get(details))
    return;
  for (const element item : details) {
    object detail, violation;
    if (item.get(detail) || !text_of(detail, "@type").ends_with(".QuotaFailure")
        || detail["violations"].get(violations))
      continue;
    for (const element one : violations)
      if (!one.get(violation))
        read_violation(violation, told);
  }
}

void read_gemini(std::string_view body, std::vector<told_limit>& told) {
  if (!contains(body, "QuotaFailure"))
    return;
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(body.data(), body.size()).get(root))
    return;
  array list;
  if (!root.get(list) && list.size() > 0)
    root = list.at(0).value_unsafe();
  object holder, error;
  if (!root.get(holder) && !holder["error"].get(error))
    read_violations(error, told);
}

} // namespace

std::vector<told_limit> told_limits(upstream_kind kind, std::span<const header_field> fields,
                                    std::string_view error_body) {
  std::vector<told_limit> told;
  switch (kind) {
  case upstream_kind::gemini:
  case upstream_kind::vertex:
    read_gemini(error_body, told);
    break;
  case upstream_kind::openai:
    read_openai(fields, told);
    read_gemini(error_body, told); // Google's endpoint of this protocol
    break;
  case upstream_kind::anthropic:
    read_anthropic(fields, told);
    break;
  }
  return told;
}

} // namespace troupe::upstream
