#include "actors/admin/document.hpp"

#include "actors/admin/instants.hpp"
#include "protocol/base/key_id.hpp"

#include <algorithm>

namespace troupe {

namespace {

std::string_view layer_of(item_origin origin) {
  switch (origin) {
  case item_origin::database:
    return "database";
  case item_origin::file:
    return "file";
  case item_origin::environment:
    return "environment";
  }
  return "database";
}

void write_limits_of(json::writer& w, const std::vector<storage::limit>& list,
                     std::string_view model) {
  for (const auto& l : list)
    if (l.model == model) {
      w.foreign_key(to_string(l.kind));
      w.integer(l.amount);
    }
}

} // namespace

void write_instant(json::writer& w, json::plain_key name, std::int64_t at_ms) {
  w.key(name);
  if (at_ms <= 0)
    w.null();
  else
    w.string(instant_text(at_ms));
}

void write_number(json::writer& w, json::plain_key name, std::uint64_t value) {
  w.key(name);
  w.integer(value);
}

void write_span(json::writer& w, json::plain_key name, std::int64_t ms) {
  w.key(name);
  if (ms < 0)
    w.null();
  else
    w.integer(ms);
}

void write_key_id(json::writer& w, json::plain_key name, std::uint64_t key) {
  w.key(name);
  if (key == 0)
    w.null();
  else
    w.string(to_string(key_id{key}));
}

void write_optional(json::writer& w, json::plain_key name, std::string_view text) {
  w.key(name);
  if (text.empty())
    w.null();
  else
    w.string(text);
}

void write_texts(json::writer& w, json::plain_key name, const std::vector<std::string>& list) {
  w.key(name);
  w.begin_array();
  for (const auto& text : list)
    w.string(text);
  w.end_array();
}

void write_limits(json::writer& w, json::plain_key name, const std::vector<storage::limit>& list) {
  std::vector<std::string_view> models;
  for (const auto& l : list)
    if (!l.model.empty() && std::ranges::find(models, l.model) == models.end())
      models.push_back(l.model);
  w.key(name);
  w.begin_object();
  write_limits_of(w, list, {});
  if (!models.empty()) {
    w.key("models");
    w.begin_object();
    for (const auto model : models) {
      w.foreign_key(model);
      w.begin_object();
      write_limits_of(w, list, model);
      w.end_object();
    }
    w.end_object();
  }
  w.end_object();
}

void write_origin(json::writer& w, item_origin origin, std::string_view source) {
  w.key("origin");
  w.begin_object();
  w.member("layer", layer_of(origin));
  w.member("source", source);
  w.end_object();
}

void write_raw(json::writer& w, json::plain_key name, std::string_view text,
               std::string_view fallback) {
  w.key(name);
  w.raw(text.empty() ? fallback : text);
}

} // namespace troupe
