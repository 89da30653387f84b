#include "actors/cli/core/key_arguments.hpp"

#include "actors/cli/core/query.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace troupe::cli {

namespace {

failure fault(std::string text) {
  return {errc::invalid_argument, std::move(text)};
}

/// A text, or null to take the value away.
void write_optional(json::writer& out, const json::plain_key& name,
                    const std::optional<std::string>& value) {
  if (!value)
    return;
  out.key(name);
  if (value->empty())
    out.null();
  else
    out.string(*value);
}

result<void> write_number(json::writer& out, const json::plain_key& name, std::string_view flag,
                          const std::optional<std::string>& value) {
  if (!value)
    return {};
  std::int64_t number = 0;
  const auto* end = value->data() + value->size();
  const auto read = std::from_chars(value->data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end)
    return fault(std::string{flag} + ": must be a whole number");
  out.key(name);
  out.integer(number);
  return {};
}

result<bool> read_truth(std::string_view flag, std::string_view text) {
  if (text == "yes" || text == "true" || text == "on")
    return true;
  if (text == "no" || text == "false" || text == "off")
    return false;
  return fault(std::string{flag} + ": must be yes or no");
}

void write_filter(json::writer& out, const key_filter& f) {
  out.begin_object();
  const auto text = [&](const json::plain_key& name, const std::string& value) {
    if (!value.empty())
      out.member(name, value);
  };
  const auto list = [&](const json::plain_key& name, const std::vector<std::string>& values) {
    if (values.empty())
      return;
    out.key(name);
    write_texts(out, values, {});
  };
  text("q", f.q);
  list("state", f.states);
  list("reason", f.reasons);
  text("upstream", f.upstream);
  text("group", f.group);
  text("tag", f.tag);
  list("ids", f.ids);
  out.end_object();
}

result<void> add_to_filter(key_filter& filter, std::string_view name, std::string value) {
  if (name == "state")
    filter.states.push_back(std::move(value));
  else if (name == "reason")
    filter.reasons.push_back(std::move(value));
  else if (name == "q")
    filter.q = std::move(value);
  else if (name == "upstream")
    filter.upstream = std::move(value);
  else if (name == "group")
    filter.group = std::move(value);
  else if (name == "tag")
    filter.tag = std::move(value);
  else
    return fault("--filter: there is no " + std::string{name}
                 + "; there are q, state, reason, upstream, group and tag");
  return {};
}

} // namespace

bool key_fields::empty() const {
  return !name && !upstream && !kind && !domain && !proxy && !note && !weight && !tier && !enabled
         && groups.empty() && tags.empty() && limits.empty();
}

void write_texts(json::writer& out, const std::vector<std::string>& texts, std::string_view none) {
  out.begin_array();
  for (const auto& text : texts)
    if (none.empty() || text != none)
      out.string(text);
  out.end_array();
}

result<void> write_key_fields(json::writer& out, const key_fields& fields, limit_set before) {
  if (fields.enabled) {
    const auto truth = read_truth("--enabled", *fields.enabled);
    if (!truth)
      return truth.error();
    out.boolean_member("enabled", *truth);
  }
  write_optional(out, "name", fields.name);
  if (fields.upstream)
    out.member("upstream", *fields.upstream);
  write_optional(out, "kind", fields.kind);
  write_optional(out, "domain", fields.domain);
  if (!fields.groups.empty()) {
    out.key("groups");
    write_texts(out, fields.groups);
  }
  if (!fields.tags.empty()) {
    out.key("tags");
    write_texts(out, fields.tags);
  }
  if (auto written = write_number(out, "weight", "--weight", fields.weight); !written)
    return written;
  if (auto written = write_number(out, "tier", "--tier", fields.tier); !written)
    return written;
  if (!fields.limits.empty()) {
    if (auto applied = apply_limit_flags(before, fields.limits); !applied)
      return applied;
    out.key("limits");
    write_limits(out, before);
  }
  write_optional(out, "proxy", fields.proxy);
  write_optional(out, "note", fields.note);
  return {};
}

result<std::string> new_key_body(const secret& characters, const key_fields& fields) {
  std::string body;
  json::writer out{body};
  out.begin_object();
  out.member("secret", characters.reveal());
  if (auto written = write_key_fields(out, fields, {}); !written)
    return written.error();
  out.end_object();
  return body;
}

result<std::string> key_patch_body(const key_fields& fields, const limit_set& before) {
  std::string body;
  json::writer out{body};
  out.begin_object();
  if (auto written = write_key_fields(out, fields, before); !written)
    return written.error();
  out.end_object();
  return body;
}

bool key_filter::empty() const {
  return q.empty() && upstream.empty() && group.empty() && tag.empty() && states.empty()
         && reasons.empty() && ids.empty();
}

result<key_filter> read_key_filter(const std::vector<std::string>& texts) {
  key_filter filter;
  for (const auto& text : texts) {
    for (std::size_t at = 0; at <= text.size();) {
      const auto end = std::min(text.find(',', at), text.size());
      const auto part = std::string_view{text}.substr(at, end - at);
      const auto equals = part.find('=');
      if (equals == std::string_view::npos || equals + 1 == part.size())
        return fault("--filter: must be NAME=VALUE, several with commas between them");
      auto added =
          add_to_filter(filter, part.substr(0, equals), std::string{part.substr(equals + 1)});
      if (!added)
        return added.error();
      at = end + 1;
    }
  }
  return filter;
}

std::vector<std::pair<std::string, std::string>> query_of(const key_filter& f) {
  return {{"q", f.q},
          {"state", joined(f.states)},
          {"reason", joined(f.reasons)},
          {"upstream", f.upstream},
          {"group", f.group},
          {"tag", f.tag}};
}

result<std::string> bulk_body(const bulk_change& change) {
  if (!change.fields.limits.empty() && !begins_anew(change.fields.limits))
    return fault("--limit: for several keys at once all limits are replaced; say so by "
                 "--limit none before the others");
  std::string body;
  json::writer out{body};
  out.begin_object();
  out.member("action", change.action);
  out.key("filter");
  write_filter(out, change.filter);
  if (change.all)
    out.boolean_member("all", true);
  if (!change.pause.empty())
    out.member("for", change.pause);
  if (!change.fields.empty()) {
    out.key("fields");
    out.begin_object();
    if (auto written = write_key_fields(out, change.fields, {}); !written)
      return written.error();
    out.end_object();
  }
  out.end_object();
  return body;
}

} // namespace troupe::cli
