#include "actors/admin/key_body.hpp"

#include "protocol/base/key_id.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace troupe {

namespace {

using words = std::array<std::string_view, 7>;

constexpr words sorts{"created", "name", "id", "state", "upstream", "tier", "last_used"};
constexpr words actions{"enable", "disable", "pause", "reset", "delete", "edit", "check"};
constexpr std::array<std::string_view, 4> states{"ready", "cooling", "probing", "disabled"};
constexpr std::array reasons{
    key_reason::none,          key_reason::quota_minute, key_reason::quota_day,
    key_reason::quota_unknown, key_reason::not_offered,  key_reason::forbidden,
    key_reason::invalid,       key_reason::suspended,    key_reason::by_operator};

constexpr std::string_view mask = "***";

bool is_state(std::string_view word) {
  return std::ranges::find(states, word) != states.end();
}

bool is_reason(std::string_view word) {
  return std::ranges::any_of(reasons, [&](key_reason r) { return to_string(r) == word; });
}

/// Problems of filter words, wherever they stand.
template <class Reader>
void check_filter(Reader& from, const key_filter& f) {
  if (!std::ranges::all_of(f.states, is_state))
    from.fault("state", "invalid_value", "must be of ready, cooling, probing, disabled");
  if (!std::ranges::all_of(f.reasons, is_reason))
    from.fault("reason", "invalid_value", "names a reason that there is not");
}

key_filter read_filter(const json::tree& object, std::vector<field_problem>& problems) {
  body_reader body(object, "filter", problems);
  key_filter f;
  f.text = body.text("q").value_or("");
  f.states = body.texts("state").value_or(std::vector<std::string>{});
  f.reasons = body.texts("reason").value_or(std::vector<std::string>{});
  f.upstream = body.text("upstream").value_or("");
  f.group = body.text("group").value_or("");
  f.tag = body.text("tag").value_or("");
  check_filter(body, f);
  const auto ids = body.texts("ids").value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto id = parse_key_id(ids[i]);
    if (!id) {
      body.fault("ids[" + std::to_string(i) + ']', "invalid_value",
                 "must be key_ and 16 hex digits");
      break;
    }
    f.ids.push_back(id->value);
  }
  body.refuse_rest();
  return f;
}

bool is_empty(const key_filter& f) {
  return f.text.empty() && f.states.empty() && f.reasons.empty() && f.upstream.empty()
         && f.group.empty() && f.tag.empty() && f.ids.empty();
}

/// Keys in a list, as the text that an import takes.
std::optional<std::string> read_key_list_text(body_reader& body) {
  auto list = body.texts("keys");
  if (!list)
    return std::nullopt;
  std::string all;
  for (const auto& one : *list) {
    all += one;
    all += '\n';
  }
  return all;
}

} // namespace

key_fields read_key_fields(body_reader& body) {
  key_fields f;
  f.enabled = body.boolean("enabled");
  f.upstream = body.text("upstream");
  f.kind = body.text("kind");
  f.name = body.text("name");
  f.domain = body.text("domain");
  f.groups = body.texts("groups");
  f.tags = body.texts("tags");
  // What a weight and a tier may be is the inventory's to say; here they only have to fit.
  if (const auto weight = body.integer("weight", 0, std::numeric_limits<std::uint32_t>::max()))
    f.weight = static_cast<std::uint32_t>(*weight);
  if (const auto tier = body.integer("tier", std::numeric_limits<std::int32_t>::min(),
                                     std::numeric_limits<std::int32_t>::max()))
    f.tier = static_cast<std::int32_t>(*tier);
  f.limits = read_limits(body);
  if (auto proxy = body.text("proxy")) {
    if (proxy->find(mask) != std::string::npos)
      body.fault("proxy", "masked_secret", "is masked: leave it out to keep what is there");
    else
      f.proxy = secret{*std::move(proxy)};
  }
  f.note = body.text("note");
  return f;
}

add_one_key read_new_key(const json::tree& object, std::vector<field_problem>& problems) {
  body_reader body(object, {}, problems);
  add_one_key q;
  auto characters = body.text("secret");
  if (!characters || characters->empty()) {
    if (object.find("secret") == nullptr || characters)
      body.fault("secret", "missing", "is needed: the key's characters");
  } else if (characters->find(mask) != std::string::npos) {
    body.fault("secret", "masked_secret", "is masked: the key's own characters are needed");
  } else {
    q.characters = secret{*std::move(characters)};
  }
  q.fields = read_key_fields(body);
  body.refuse_rest();
  return q;
}

edit_key read_key_edit(const json::tree& object, std::vector<field_problem>& problems) {
  body_reader body(object, {}, problems);
  edit_key q;
  q.fields = read_key_fields(body);
  body.refuse_rest();
  return q;
}

std::int64_t read_pause(const json::tree& object, std::vector<field_problem>& problems) {
  body_reader body(object, {}, problems);
  const auto span = read_span(body, "for");
  body.refuse_rest();
  return span.value_or(0);
}

list_keys read_key_list(query_reader& query) {
  list_keys q;
  q.filter.text = query.text("q");
  q.filter.states = query.list("state");
  q.filter.reasons = query.list("reason");
  q.filter.upstream = query.text("upstream");
  q.filter.group = query.text("group");
  q.filter.tag = query.text("tag");
  check_filter(query, q.filter);
  std::array<std::string_view, 2 * sorts.size()> orders{};
  constexpr words backwards{"-created",  "-name", "-id",       "-state",
                            "-upstream", "-tier", "-last_used"};
  std::ranges::copy(sorts, orders.begin());
  std::ranges::copy(backwards, orders.begin() + sorts.size());
  if (const auto which = query.word("sort", orders)) {
    q.sort = static_cast<key_sort>(*which % sorts.size());
    q.descending = *which >= sorts.size();
  }
  q.limit = page_limit(query);
  q.after = query.text("after");
  query.refuse_rest();
  return q;
}

import_keys read_import(const json::tree& object, std::vector<field_problem>& problems) {
  body_reader body(object, {}, problems);
  import_keys q;
  auto text = body.text("text");
  auto keys = read_key_list_text(body);
  const bool told = object.find("text") != nullptr || object.find("keys") != nullptr;
  if (object.find("text") != nullptr && object.find("keys") != nullptr)
    body.fault("text", "invalid_value", "cannot stand beside keys: give one of them");
  else if (!told)
    body.fault("keys", "missing", "is needed: a list of keys, or text with keys in it");
  q.text = secret{keys ? *std::move(keys) : std::move(text).value_or("")};
  if (const auto* fields = body.any("fields")) {
    body_reader of(*fields, "fields", problems);
    q.fields = read_key_fields(of);
    of.refuse_rest();
  }
  q.dry_run = body.boolean("dry_run").value_or(false);
  body.refuse_rest();
  return q;
}

import_keys read_import(query_reader& query, std::string text) {
  import_keys q;
  q.text = secret{std::move(text)};
  if (query.has("upstream"))
    q.fields.upstream = query.text("upstream");
  if (query.has("group"))
    q.fields.groups = query.list("group");
  if (query.has("tag"))
    q.fields.tags = query.list("tag");
  q.dry_run = query.flag("dry_run");
  query.refuse_rest();
  return q;
}

bulk_order read_bulk(const json::tree& object, std::vector<field_problem>& problems) {
  body_reader body(object, {}, problems);
  bulk_order order;
  auto& q = order.change;
  const auto word = body.text("action");
  const auto at = word ? std::ranges::find(actions, std::string_view{*word}) : actions.end();
  if (at == actions.end()) {
    if (word || object.find("action") == nullptr)
      body.fault("action", word ? "invalid_value" : "missing",
                 "must be enable, disable, pause, reset, check, delete or edit");
  } else {
    const auto which = static_cast<std::size_t>(at - actions.begin());
    order.check = *word == "check";
    if (!order.check)
      q.action = static_cast<bulk_action>(which);
  }
  const bool known = at != actions.end();
  if (const auto* filter = body.any("filter"))
    q.filter = read_filter(*filter, problems);
  const bool all = body.boolean("all").value_or(false);
  if (is_empty(q.filter) && !all)
    body.fault("filter", "missing", "is empty: say \"all\": true to mean every key");
  if (!is_empty(q.filter) && all)
    body.fault("all", "relation", "cannot stand beside a filter");
  if (known && *word == "pause")
    q.pause_ms = read_span(body, "for").value_or(0);
  else if (body.any("for") != nullptr)
    body.fault("for", "relation", "is for the action pause");
  if (const auto* fields = body.any("fields")) {
    body_reader of(*fields, "fields", problems);
    q.fields = read_key_fields(of);
    of.refuse_rest();
    if (known && *word != "edit")
      body.fault("fields", "relation", "are for the action edit");
  } else if (known && *word == "edit") {
    body.fault("fields", "missing", "are needed for the action edit");
  }
  body.refuse_rest();
  return order;
}

} // namespace troupe
