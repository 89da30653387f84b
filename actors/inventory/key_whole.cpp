#include "actors/inventory/key_table.hpp"
#include "storage/core/record_layout.hpp"

#include <utility>

// What is done to all keys at once: sealing anew, and becoming what a backup says.

namespace troupe {

result<bool> key_table::reseal_text(const std::string& context, std::string& sealed) const {
  if (sealed.empty() || !vault_.is_stale(sealed))
    return false;
  auto plain = vault_.open_sealed(context, sealed);
  if (!plain)
    return plain.error();
  sealed = vault_.seal(context, plain->reveal());
  return true;
}

answer<std::uint64_t> key_table::reseal(std::size_t most) {
  storage::write_batch batch;
  std::optional<failure> bad;
  auto read = book_.db().for_each(
      storage::column::keys, {}, [&](std::string_view row, std::string_view bytes) {
        auto item = storage::decode_item(row, bytes);
        if (!item || item->header.deleted)
          return true;
        auto kept = storage::decode_key_item(item->payload);
        if (!kept)
          return true;
        const auto id = storage::key_of_row(row);
        const auto secret_done = reseal_text(secret_context(id), kept->sealed_secret);
        const auto proxy_done = reseal_text(proxy_context(id), kept->proxy_sealed);
        if (!secret_done || !proxy_done) {
          bad = secret_done ? proxy_done.error() : secret_done.error();
          return false;
        }
        // The value is the same: no new revision, only another seal.
        if (*secret_done || *proxy_done)
          batch.put(storage::column::keys, std::string{row},
                    storage::encode_item(row, item->header, encode(*kept)));
        return batch.size() < most;
      });
  if (!read)
    return refusal_of(read.error());
  if (bad)
    return refusal_of(*bad);
  if (batch.empty())
    return std::uint64_t{0};
  if (auto written = book_.commit(batch); !written)
    return refusal_of(written.error());
  return std::uint64_t{batch.size()};
}

answer<key_table::restored>
key_table::replace_with(const asker& by, const std::map<std::uint64_t, entry>& rows, effects& out) {
  constexpr std::size_t step = 1'000;
  restored count;
  std::vector<std::uint64_t> gone;
  for (const auto& [id, e] : entries_)
    if (e.origin == item_origin::database && !rows.contains(id))
      gone.push_back(id);
  const auto write = [&](staging& s) -> answer<nothing> {
    book_.audit(s.batch, by,
                {"keys.restore", {}, 0, 0, "{\"keys\":" + std::to_string(s.changes.size()) + '}'});
    auto done = commit(s, out);
    s = {};
    return done;
  };
  staging s;
  for (const auto id : gone) {
    stage_removal(s, id, entries_.at(id));
    ++count.deleted;
    if (s.changes.size() >= step)
      if (auto done = write(s); !done)
        return *std::move(done.no);
  }
  for (const auto& [id, wanted] : rows) {
    const auto* present = find(id);
    if (present == nullptr && wanted.characters.empty())
      continue; // edits of a key that is not configured here
    auto after = wanted;
    if (present != nullptr) {
      if (present->item == wanted.item && present->proxy == wanted.proxy)
        continue;
      after.characters = present->characters;
      after.origin = present->origin;
      after.origin_text = present->origin_text;
      after.fallback_name = present->fallback_name;
      after.own_secret = present->own_secret;
      ++count.changed;
    } else {
      ++count.added;
    }
    stage(s, id, present, std::move(after));
    if (s.changes.size() >= step)
      if (auto done = write(s); !done)
        return *std::move(done.no);
  }
  if (!s.changes.empty())
    if (auto done = write(s); !done)
      return *std::move(done.no);
  return count;
}

} // namespace troupe
