#include "actors/front/resource_book.hpp"

#include "actors/messages.hpp"
#include "storage/resources.hpp"

#include <caf/send.hpp>

#include <optional>
#include <utility>

namespace troupe {

namespace {

/// So many expired ones go with one call: more than can come with it, and none waits long.
constexpr int expired_per_call = 4;

} // namespace

std::uint64_t resource_book::key_of(std::string_view name, std::uint64_t credential,
                                    std::int64_t now_ms) const {
  const std::lock_guard held{access_};
  const auto* owner = table_.find(name);
  return owner != nullptr && owner->credential == credential && owner->expires_at_ms > now_ms
             ? owner->key
             : 0;
}

void resource_book::note(made_resource made, std::int64_t now_ms) {
  const resource_owner owner{made.key, made.credential, made.expires_at_ms};
  if (made.name.empty() || made.name.size() > storage::resource_name_bytes_max || made.key == 0
      || made.expires_at_ms <= now_ms)
    return;
  std::vector<std::string> gone;
  {
    const std::lock_guard held{access_};
    take_expired(gone, now_ms);
    if (auto out = table_.put(made.name, owner))
      gone.push_back(*std::move(out));
  }
  if (storage_)
    caf::anon_send(storage_, save_resource{std::move(made.name),
                                           storage::encode(storage::resource_item{
                                               owner.key, owner.credential, owner.expires_at_ms})});
  erase_rows(std::move(gone)); // behind the row: it may be the very one that found no room
}

void resource_book::forget(std::string_view name) {
  bool known = false;
  {
    const std::lock_guard held{access_};
    known = table_.erase(name);
  }
  if (known)
    erase_rows({std::string{name}});
}

void resource_book::restore(std::string_view name, const resource_owner& owner,
                            std::int64_t now_ms) {
  std::optional<std::string> gone;
  if (owner.expires_at_ms <= now_ms) {
    gone = name;
  } else {
    const std::lock_guard held{access_};
    gone = table_.put(name, owner);
  }
  if (gone)
    erase_rows({*std::move(gone)});
}

std::size_t resource_book::size() const {
  const std::lock_guard held{access_};
  return table_.size();
}

void resource_book::take_expired(std::vector<std::string>& gone, std::int64_t now_ms) {
  for (int i = 0; i < expired_per_call; ++i) {
    auto name = table_.take_expired(now_ms);
    if (!name)
      return;
    gone.push_back(*std::move(name));
  }
}

void resource_book::erase_rows(std::vector<std::string> gone) const {
  if (storage_ && !gone.empty())
    caf::anon_send(storage_, erase_resource{std::move(gone)});
}

result<void> restore_resources(resource_book& book, const storage::store& from, log_sink& log,
                               std::int64_t now_ms) {
  const auto bad =
      storage::load_resources(from, [&](std::string_view name, const storage::resource_item& kept) {
        book.restore(name, {kept.key, kept.credential, kept.expires_at_ms}, now_ms);
      });
  if (!bad)
    return bad.error();
  for (const auto& words : bad->words)
    log.write(log_area::storage, log_level::error, {}, words);
  if (bad->rows > bad->words.size())
    log.write(log_area::storage, log_level::error, {},
              std::to_string(bad->rows - bad->words.size()) + " more resources cannot be read");
  return {};
}

} // namespace troupe
