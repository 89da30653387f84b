#include "actors/admin/query.hpp"

#include "actors/admin/body.hpp"
#include "http/core/percent.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace troupe {

namespace {

/// As forms write it: a `+` is a blank.
std::string decoded(std::string_view text) {
  std::string plain{text};
  std::ranges::replace(plain, '+', ' ');
  return http::percent_decode(plain);
}

} // namespace

query_reader::query_reader(std::string_view query, std::vector<field_problem>& problems)
    : problems_(problems) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (piece.empty())
      continue;
    const auto equals = std::min(piece.find('='), piece.size());
    parameter p;
    p.name = decoded(piece.substr(0, equals));
    p.value = decoded(piece.substr(std::min(equals + 1, piece.size())));
    if (p.name == "key")
      continue;
    if (has(p.name))
      fault(shown_name(p.name), "duplicate", "stands twice");
    else
      parameters_.push_back(std::move(p));
  }
}

bool query_reader::has(std::string_view name) const {
  return std::ranges::find(parameters_, name, &parameter::name) != parameters_.end();
}

const std::string* query_reader::take(std::string_view name) {
  const auto at = std::ranges::find(parameters_, name, &parameter::name);
  if (at == parameters_.end())
    return nullptr;
  at->taken = true;
  return &at->value;
}

void query_reader::fault(std::string_view name, std::string_view code, std::string text) {
  problems_.push_back({std::string{name}, std::string{code}, std::move(text)});
}

std::string query_reader::text(std::string_view name) {
  const auto* value = take(name);
  return value != nullptr ? *value : std::string{};
}

std::vector<std::string> query_reader::list(std::string_view name) {
  std::vector<std::string> all;
  const auto joined = text(name);
  std::string_view rest = joined;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    if (end != 0)
      all.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return all;
}

bool query_reader::flag(std::string_view name) {
  const auto* value = take(name);
  if (value == nullptr || *value == "false")
    return false;
  if (*value != "true")
    fault(name, "invalid_value", "must be true or false");
  return *value == "true";
}

std::uint64_t query_reader::number(std::string_view name, std::uint64_t fallback,
                                   std::uint64_t least, std::uint64_t most) {
  const auto* value = take(name);
  if (value == nullptr)
    return fallback;
  std::uint64_t number = 0;
  const auto end = value->data() + value->size();
  const auto read = std::from_chars(value->data(), end, number);
  if (value->empty() || read.ptr != end || read.ec == std::errc::invalid_argument) {
    fault(name, "wrong_type", "must be a whole number");
    return fallback;
  }
  if (read.ec != std::errc{} || number < least || number > most) {
    fault(name, "out_of_range",
          "must be from " + std::to_string(least) + " to " + std::to_string(most));
    return fallback;
  }
  return number;
}

std::optional<std::size_t> query_reader::word(std::string_view name,
                                              std::span<const std::string_view> words) {
  const auto* value = take(name);
  if (value == nullptr)
    return std::nullopt;
  const auto at = std::ranges::find(words, std::string_view{*value});
  if (at != words.end())
    return static_cast<std::size_t>(at - words.begin());
  std::string all;
  for (const auto w : words)
    all += (all.empty() ? "" : ", ") + std::string{w};
  fault(name, "invalid_value", "must be one of " + all);
  return std::nullopt;
}

void query_reader::refuse_rest() {
  for (const auto& p : parameters_)
    if (!p.taken)
      fault(shown_name(p.name), "unknown_parameter", "is no parameter of this path");
}

std::uint32_t page_limit(query_reader& q) {
  return static_cast<std::uint32_t>(q.number("limit", 100, 1, 1'000));
}

} // namespace troupe
