#include "actors/inventory/credential_table.hpp"
#include "actors/inventory/field_rules.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

constexpr std::size_t models_max = 256;

bool is_pattern(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](unsigned char c) {
    return c > 0x20 && c < 0x7F && c != ',' && c != '"';
  });
}

} // namespace

std::optional<refused> credential_table::refuse(const credential_fields& f, storage::role what,
                                                std::uint64_t self) const {
  field_rules rules;
  const bool admin = what != storage::role::client;
  if (!f.name && self == 0)
    rules.fault("name", "missing", "is needed");
  if (f.name) {
    if (f.name->empty())
      rules.fault("name", "invalid_value", "must not be empty");
    rules.text(f.name, "name");
    for (const auto& [id, e] : entries_)
      if (id != self && e.item.name == *f.name && (e.item.what != storage::role::client) == admin)
        return refused{errc::already_exists,
                       "already_exists",
                       "There is a credential of this name already.",
                       {},
                       0};
  }
  rules.note(f.note);
  if (f.expires_at_ms && *f.expires_at_ms < 0)
    rules.fault("expires", "out_of_range", "must be an instant after 1970, or null");
  if (f.models) {
    if (f.models->size() > models_max)
      rules.fault("models", "out_of_range", "must hold at most " + std::to_string(models_max));
    for (std::size_t i = 0; i < std::min(f.models->size(), models_max); ++i)
      if (!is_pattern((*f.models)[i]))
        rules.fault("models[" + std::to_string(i) + ']', "invalid_value",
                    "must be the name of a model, in which * stands for anything");
  }
  rules.labels(f.groups, "groups");
  rules.limits(f.limits);
  if (admin && f.limits && !f.limits->empty())
    rules.fault("limits", "invalid_value", "are for clients: admin credentials call no model");
  return rules.verdict("The credential's fields are not valid.");
}

void credential_table::apply(const credential_fields& f, storage::credential_item& item) {
  const auto take = [](const auto& from, auto& to) {
    if (from)
      to = *from;
  };
  take(f.name, item.name);
  take(f.note, item.note);
  take(f.expires_at_ms, item.expires_at_ms);
  take(f.models, item.models);
  take(f.groups, item.groups);
  take(f.limits, item.limits);
}

} // namespace troupe
