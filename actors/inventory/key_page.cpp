#include "actors/inventory/key_page.hpp"

#include "protocol/base/key_id.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <set>
#include <tuple>
#include <unordered_set>
#include <utility>

namespace troupe {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool holds(std::string_view text, std::string_view lowered) {
  return std::ranges::search(text, lowered, {}, lower).begin() != text.end() || lowered.empty();
}

bool among(const std::vector<std::string>& list, std::string_view one) {
  return std::ranges::find(list, one) != list.end();
}

std::string lowered(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

class matcher {
public:
  matcher(const key_filter& f, const key_briefs& briefs)
      : f_(f), briefs_(briefs), text_(lowered(f.text)), ids_(f.ids.begin(), f.ids.end()) {
    for (std::size_t i = 0; i < states_.size(); ++i)
      states_[i] = among(f.states, to_string(static_cast<key_state>(i)));
    for (std::size_t i = 0; i < reasons_.size(); ++i)
      reasons_[i] = among(f.reasons, to_string(static_cast<key_reason>(i)));
  }

  bool operator()(std::uint64_t id, const key_table::entry& e) const {
    if (!ids_.empty() && !ids_.contains(id))
      return false;
    if (!f_.upstream.empty() && e.item.upstream != f_.upstream)
      return false;
    if ((!f_.group.empty() && !among(e.item.groups, f_.group))
        || (!f_.tag.empty() && !among(e.item.tags, f_.tag)))
      return false;
    if (!text_.empty() && !has_text(id, e))
      return false;
    if (f_.states.empty() && f_.reasons.empty())
      return true;
    const auto brief = briefs_.of(id);
    return (f_.states.empty() || states_[static_cast<std::size_t>(brief.state)])
           && (f_.reasons.empty() || reasons_[static_cast<std::size_t>(brief.reason)]);
  }

private:
  bool has_text(std::uint64_t id, const key_table::entry& e) const {
    return holds(e.item.name, text_) || holds(e.fallback_name, text_) || holds(e.item.note, text_)
           || has_id(id)
           || std::ranges::any_of(e.item.tags, [&](const auto& t) { return holds(t, text_); });
  }

  /// Written by hand: `to_string` would allocate a text for each of a hundred thousand keys.
  bool has_id(std::uint64_t id) const {
    static constexpr char digits[] = "0123456789abcdef";
    std::array<char, 20> shown{'k', 'e', 'y', '_'};
    for (std::size_t i = shown.size(); i > 4; --i, id >>= 4)
      shown[i - 1] = digits[id & 15];
    return std::string_view{shown.data(), shown.size()}.find(text_) != std::string_view::npos;
  }

  const key_filter& f_;
  const key_briefs& briefs_;
  std::string text_;
  std::unordered_set<std::uint64_t> ids_;
  std::array<bool, static_cast<std::size_t>(key_state::disabled) + 1> states_{}; ///< wanted ones
  std::array<bool, static_cast<std::size_t>(key_reason::by_operator) + 1> reasons_{};
};

/// Where a key stands in an order: a number, then a text, then its id.
struct place {
  std::int64_t number = 0;
  std::string_view text = {};
  std::uint64_t id = 0;

  friend auto operator<=>(const place&, const place&) = default;
};

place place_of(key_sort sort, std::uint64_t id, const key_table::entry& e,
               const key_briefs& briefs) {
  switch (sort) {
  case key_sort::created:
    return {e.header.created_at_ms, {}, id};
  case key_sort::name:
    return {0,
            e.item.name.empty() ? std::string_view{e.fallback_name} : std::string_view{e.item.name},
            id};
  case key_sort::id:
    return {0, {}, id};
  case key_sort::state:
    return {static_cast<std::int64_t>(briefs.of(id).state), {}, id};
  case key_sort::upstream:
    return {0, e.item.upstream, id};
  case key_sort::tier:
    return {e.item.tier, {}, id};
  case key_sort::last_used: {
    const auto ago = briefs.of(id).last_used_ms_ago;
    // In steps of a second: the place must not move while somebody turns pages.
    return {ago < 0 ? std::numeric_limits<std::int64_t>::min() : -(ago / 1'000), {}, id};
  }
  }
  return {0, {}, id};
}

/// A token belongs to one order: with another it would name a place that means nothing there.
std::string token_of(const place& p, key_sort sort) {
  return std::to_string(static_cast<int>(sort)) + '.' + std::to_string(p.number) + '.'
         + to_string(key_id{p.id}) + '.' + std::string{p.text};
}

/// The views of the place are into `token`.
std::optional<place> place_of_token(std::string_view token, key_sort sort) {
  const auto order = std::to_string(static_cast<int>(sort)) + '.';
  if (!token.starts_with(order))
    return std::nullopt;
  token.remove_prefix(order.size());
  place p;
  const auto first = token.find('.');
  const auto second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos)
    return std::nullopt;
  const auto read = std::from_chars(token.data(), token.data() + first, p.number);
  const auto id = parse_key_id(token.substr(first + 1, second - first - 1));
  if (read.ec != std::errc{} || read.ptr != token.data() + first || !id)
    return std::nullopt;
  p.id = id->value;
  p.text = token.substr(second + 1);
  return p;
}

} // namespace

key_briefs::key_briefs(std::vector<key_brief> list) : list_(std::move(list)) {
  std::size_t room = 16;
  while (room < 2 * list_.size())
    room *= 2;
  places_.resize(room);
  for (std::size_t i = 0; i < list_.size(); ++i) {
    auto at = list_[i].key & (room - 1);
    while (places_[at] != 0)
      at = (at + 1) & (room - 1);
    places_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

key_brief key_briefs::of(std::uint64_t key) const {
  if (!places_.empty())
    for (auto at = key & (places_.size() - 1); places_[at] != 0;
         at = (at + 1) & (places_.size() - 1))
      if (const auto& b = list_[places_[at] - 1]; b.key == key)
        return b;
  key_brief none;
  none.key = key;
  none.state = key_state::disabled;
  return none;
}

bool needs_briefs(const key_filter& f, key_sort sort) {
  return !f.states.empty() || !f.reasons.empty() || sort == key_sort::state
         || sort == key_sort::last_used;
}

std::vector<std::uint64_t> matching_keys(const key_table& keys, const key_briefs& briefs,
                                         const key_filter& filter) {
  const matcher matches(filter, briefs);
  std::vector<std::uint64_t> ids;
  for (const auto& [id, e] : keys.all())
    if (matches(id, e))
      ids.push_back(id);
  std::ranges::sort(ids);
  return ids;
}

namespace {

bool matches_all(const key_filter& f) {
  return f.text.empty() && f.states.empty() && f.reasons.empty() && f.upstream.empty()
         && f.group.empty() && f.tag.empty() && f.ids.empty();
}

/// All keys in the order of their making: what a list shows first, and the one order that is kept.
key_ids_page page_by_creation(const key_table& keys, const std::optional<place>& after,
                              bool descending, std::size_t limit) {
  const auto& order = keys.by_creation();
  key_ids_page page;
  page.matched = order.size();
  const auto take = [&](auto at, auto end) {
    for (; at != end && page.ids.size() < limit; ++at)
      page.ids.push_back(at->second);
    if (at != end)
      page.next = token_of({keys.find(page.ids.back())->header.created_at_ms, {}, page.ids.back()},
                           key_sort::created);
  };
  const auto where =
      after ? std::pair{after->number, after->id} : std::pair<std::int64_t, std::uint64_t>{};
  if (descending)
    take(after ? std::make_reverse_iterator(order.lower_bound(where)) : order.rbegin(),
         order.rend());
  else
    take(after ? order.upper_bound(where) : order.begin(), order.end());
  return page;
}

} // namespace

answer<key_ids_page> page_of(const key_table& keys, const key_briefs& briefs,
                             const list_keys& query) {
  std::optional<place> after;
  if (!query.after.empty()) {
    after = place_of_token(query.after, query.sort);
    if (!after)
      return refused{errc::invalid_argument,
                     "invalid_request",
                     "There is no such page.",
                     {{"after", "invalid_value", "must be the \"next\" of the page before"}},
                     0};
  }
  const auto limit = std::clamp<std::size_t>(query.limit, 1, 1'000);
  if (query.sort == key_sort::created && matches_all(query.filter))
    return page_by_creation(keys, after, query.descending, limit);
  const auto before = [&](const place& a, const place& b) {
    return query.descending ? b < a : a < b;
  };
  const matcher matches(query.filter, briefs);
  key_ids_page page;
  std::vector<place> heap; // the `limit` + 1 first places so far, the last of them on top
  heap.reserve(limit + 2);
  for (const auto& [id, e] : keys.all()) {
    if (!matches(id, e))
      continue;
    ++page.matched;
    const auto p = place_of(query.sort, id, e, briefs);
    if ((after && !before(*after, p)) || (heap.size() > limit && !before(p, heap.front())))
      continue;
    heap.push_back(p);
    std::ranges::push_heap(heap, before);
    if (heap.size() > limit + 1) {
      std::ranges::pop_heap(heap, before);
      heap.pop_back();
    }
  }
  std::ranges::sort_heap(heap, before);
  const bool more = heap.size() > limit;
  heap.resize(std::min(heap.size(), limit));
  for (const auto& p : heap)
    page.ids.push_back(p.id);
  if (more)
    page.next = token_of(heap.back(), query.sort);
  return page;
}

key_view view_of(const key_table& keys, std::uint64_t id, const key_table::entry& e) {
  key_view v;
  v.id = id;
  v.header = e.header;
  v.item = e.item;
  v.has_proxy = !e.proxy.empty();
  v.proxy_shown = shown_proxy(e.proxy);
  v.origin = e.origin;
  v.origin_text = e.origin_text;
  v.served = keys.served(e);
  v.status.key = id;
  v.status.name = keys.for_pool(id, e).name;
  v.status.state = key_state::disabled; // until the pool has said better
  return v;
}

} // namespace troupe
