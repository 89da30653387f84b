#include "actors/inventory/field_rules.hpp"

#include "protocol/config/values.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace troupe {

namespace {

constexpr std::size_t name_bytes_max = 128;
constexpr std::size_t note_bytes_max = 2'000;
constexpr std::size_t labels_max = 32;
constexpr std::size_t limits_max = 256;
constexpr std::uint64_t amount_max = 1'000'000'000'000;

} // namespace

void field_rules::fault(std::string field, std::string_view code, std::string text) {
  problems_.push_back({std::move(field), std::string{code}, std::move(text)});
}

void field_rules::bounded_text(const std::string& value, const char* field, std::size_t most) {
  if (value.size() > most)
    fault(field, "out_of_range", "must have at most " + std::to_string(most) + " bytes");
  if (std::ranges::any_of(value, [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
    fault(field, "invalid_value", "must hold no control character");
}

void field_rules::text(const std::optional<std::string>& value, const char* field) {
  if (value)
    bounded_text(*value, field, name_bytes_max);
}

void field_rules::note(const std::optional<std::string>& value) {
  if (value)
    bounded_text(*value, "note", note_bytes_max);
}

void field_rules::label(const std::string& value, const std::string& field) {
  const bool plain = std::ranges::all_of(
      value, [](unsigned char c) { return c > 0x20 && c != 0x7F && c != ',' && c != '"'; });
  if (value.empty() || value.size() > 64 || !plain)
    fault(field, "invalid_value",
          "must be 1 to 64 bytes without spaces, commas, quotes and control characters");
}

void field_rules::labels(const std::optional<std::vector<std::string>>& list,
                         const std::string& field) {
  if (!list)
    return;
  if (list->size() > labels_max)
    fault(field, "out_of_range", "must hold at most " + std::to_string(labels_max));
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < std::min(list->size(), labels_max); ++i) {
    const auto element = field + '[' + std::to_string(i) + ']';
    label((*list)[i], element);
    if (!seen.insert((*list)[i]).second)
      fault(element, "duplicate", "stands twice");
  }
}

void field_rules::limits(const std::optional<std::vector<storage::limit>>& list) {
  if (!list)
    return;
  if (list->size() > limits_max)
    fault("limits", "out_of_range", "must hold at most " + std::to_string(limits_max));
  std::set<std::pair<std::string_view, storage::limit_kind>> seen;
  for (const auto& l : *list) {
    const auto field = l.model.empty()
                           ? "limits." + std::string{to_string(l.kind)}
                           : "limits.models." + l.model + '.' + std::string{to_string(l.kind)};
    if (l.amount == 0 || l.amount > amount_max)
      fault(field, "out_of_range", "must be from 1 to " + std::to_string(amount_max));
    if (l.model.size() > name_bytes_max)
      fault("limits.models", "out_of_range", "names of models have at most 128 bytes");
    if (!seen.insert({l.model, l.kind}).second)
      fault(field, "duplicate", "stands twice");
  }
}

void field_rules::proxy(const std::optional<secret>& value) {
  if (!value || value->empty())
    return;
  const auto text = value->reveal();
  if (text.find("***") != std::string_view::npos)
    return fault("proxy", "masked_secret", "is masked: leave it out to keep what is there");
  const auto scheme_end = text.find("://");
  const auto scheme = text.substr(0, scheme_end);
  const bool known =
      scheme == "http" || scheme == "https" || scheme == "socks5" || scheme == "socks5h";
  if (scheme_end == std::string_view::npos || !known)
    return fault("proxy", "invalid_value",
                 "must begin with http://, https://, socks5:// or socks5h://");
  auto authority = text.substr(scheme_end + 3);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  const auto wrong = config::fault_of_base_url("http://" + std::string{authority});
  if (!wrong.empty() || authority.find('/') != std::string_view::npos
      || !config::is_printable(text, false))
    fault("proxy", "invalid_value", "must name a host, and a port if any, and nothing after it");
}

std::optional<refused> field_rules::verdict(std::string_view sentence) {
  if (problems_.empty())
    return std::nullopt;
  return refused{errc::invalid_argument, "invalid_request", std::string{sentence},
                 std::move(problems_), 0};
}

} // namespace troupe
