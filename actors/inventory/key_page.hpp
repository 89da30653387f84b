#pragma once

#include "actors/inventory/key_table.hpp"

#include <string>
#include <vector>

namespace troupe {

/// What the pool says of keys at this moment, found by key. Ids are parts of hashes, so their low
/// bits place them; made for one question, and much faster to make than a map.
class key_briefs {
public:
  key_briefs() = default;
  explicit key_briefs(std::vector<key_brief> list);

  /// Of a key that the pool does not have: disabled, without a reason.
  key_brief of(std::uint64_t key) const;

private:
  std::vector<key_brief> list_;
  std::vector<std::uint32_t> places_; ///< 1 + index into `list_`; 0: free
};

/// One page of ids, in order.
struct key_ids_page {
  std::vector<std::uint64_t> ids;
  std::string next; ///< empty: no more
  std::uint64_t matched = 0;
};

/// Whether filter or order need `key_briefs`.
bool needs_briefs(const key_filter& f, key_sort sort);

/// The keys that match.
std::vector<std::uint64_t> matching_keys(const key_table& keys, const key_briefs& briefs,
                                         const key_filter& filter);

/// The page after `query.after`. Pages stay right while keys come and go between them: a token
/// names the place in the order, not a number. `invalid_request` for a token that is none.
/// One pass over all keys, and a sort of no more than the page.
answer<key_ids_page> page_of(const key_table& keys, const key_briefs& briefs,
                             const list_keys& query);

/// What is shown of a key; `status` is filled in by the caller where the pool has the key.
key_view view_of(const key_table& keys, std::uint64_t id, const key_table::entry& e);

} // namespace troupe
