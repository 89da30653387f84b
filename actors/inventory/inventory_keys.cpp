#include "actors/inventory/inventory.hpp"
#include "actors/inventory/way_out.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

constexpr std::int64_t pause_max_ms = std::int64_t{366} * 24 * 3600 * 1000;

refused no_such_key() {
  return {errc::not_found, "not_found", "There is no such key.", {}, 0};
}

/// The key obeyed, but that is not on the disk yet.
refused not_kept(const failure& f) {
  auto r = refusal_of(f);
  r.text =
      "The key does what was asked, but the disk did not take it: a restart may not know of it. "
      + f.text;
  return r;
}

std::string_view word_of(key_order order) {
  switch (order) {
  case key_order::enable:
    return "keys.enable";
  case key_order::disable:
    return "keys.disable";
  case key_order::pause:
    return "keys.pause";
  case key_order::reset:
    return "keys.reset";
  }
  return "keys";
}

} // namespace

key_view inventory::shown(std::uint64_t id) {
  auto v = view_of(keys_, id, *keys_.find(id));
  if (!v.served)
    return v;
  auto statuses = door_->statuses({id});
  if (!statuses.empty())
    v.status = std::move(statuses.front());
  return v;
}

answer<key_page> inventory::ask(const list_keys& q) {
  const auto briefs = needs_briefs(q.filter, q.sort) ? door_->briefs() : key_briefs{};
  auto ids = page_of(keys_, briefs, q);
  if (!ids)
    return *std::move(ids.no);
  key_page page;
  page.total = keys_.size();
  page.matched = ids.yes.matched;
  page.next = std::move(ids.yes.next);
  std::unordered_map<std::uint64_t, key_status> known;
  for (auto& s : door_->statuses(ids.yes.ids))
    known.emplace(s.key, std::move(s));
  for (const auto id : ids.yes.ids) {
    auto& v = page.keys.emplace_back(view_of(keys_, id, *keys_.find(id)));
    if (const auto at = known.find(id); at != known.end())
      v.status = std::move(at->second);
  }
  return page;
}

answer<key_view> inventory::ask(const get_key& q) {
  if (keys_.find(q.id) == nullptr)
    return no_such_key();
  return shown(q.id);
}

answer<key_view> inventory::ask(const add_one_key& q) {
  auto done = in_force([&](effects& e) { return keys_.add(q, e); });
  if (!done)
    return *std::move(done.no);
  return shown(done.yes);
}

answer<key_view> inventory::ask(const edit_key& q) {
  auto done = in_force([&](effects& e) { return keys_.edit(q, e); });
  if (!done)
    return *std::move(done.no);
  return shown(q.id);
}

answer<nothing> inventory::ask(const delete_key& q) {
  return in_force([&](effects& e) { return keys_.remove(q, e); });
}

answer<key_view> inventory::ask(const order_key& q) {
  const auto* known = keys_.find(q.id);
  if (known == nullptr)
    return no_such_key();
  if (q.order == key_order::pause && (q.pause_ms <= 0 || q.pause_ms > pause_max_ms))
    return refused{errc::invalid_argument,
                   "invalid_request",
                   "The key cannot be paused for that long.",
                   {{"for", "out_of_range", "must be from 1ms to 366d"}},
                   0};
  // A key that is disabled in its record would be shut again at the next start.
  const auto before = known->header.revision; // `known` ends with the change below
  const bool enabled = q.order == key_order::disable ? false
                       : q.order == key_order::pause ? known->item.enabled
                                                     : true;
  if (enabled != known->item.enabled) {
    effects e;
    auto done = keys_.set_enabled(q.by, q.id, enabled, e);
    carry_out(e);
    if (!done)
      return *std::move(done.no);
  }
  if (keys_.served(*keys_.find(q.id)) && q.order != key_order::disable) {
    if (auto done = door_->order(q.order, q.id, q.pause_ms); !done)
      return refusal_of(done.error());
    if (auto kept = door_->flush_states(); !kept)
      return not_kept(kept.error());
    storage::write_batch batch;
    book_.audit(
        batch, q.by,
        {word_of(q.order), id_text(q.id), before, keys_.find(q.id)->header.revision,
         q.order == key_order::pause ? "{\"for_ms\":" + std::to_string(q.pause_ms) + '}' : "{}"});
    if (auto written = book_.commit(batch); !written)
      return not_kept(written.error());
  }
  return shown(q.id);
}

answer<revealed_key> inventory::ask(const reveal_key& q) {
  const auto* known = keys_.find(q.id);
  if (known == nullptr)
    return no_such_key();
  return revealed_key{known->characters, known->item.upstream,
                      way_out_of(settings_.loaded()->values.egress, q.id, *known)};
}

answer<key_view> inventory::ask(const report_check& q) {
  if (keys_.find(q.id) == nullptr)
    return no_such_key();
  if (keys_.served(*keys_.find(q.id))) {
    if (auto done = door_->check_ended(q.id, q.end); !done)
      return refusal_of(done.error());
    storage::write_batch batch;
    book_.audit(batch, q.by,
                {"keys.check", id_text(q.id), 0, 0,
                 "{\"class\":\"" + std::string{gemini::to_string(q.end.what)} + "\"}"});
    if (auto written = book_.commit(batch); !written)
      return not_kept(written.error());
  }
  return shown(q.id);
}

} // namespace troupe
