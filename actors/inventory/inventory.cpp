#include "actors/inventory/inventory.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {

namespace {

/// Keys of one message to the pool: it shares a thread with sockets.
constexpr std::size_t pool_step = 100;

std::vector<configured_key> configured_keys(const loaded_settings& loaded) {
  std::vector<configured_key> keys;
  const auto& upstreams = loaded.values.upstreams;
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    const auto element = "upstreams[" + std::to_string(i) + "].";
    auto origin = loaded.origin_of(element + "keys");
    if (origin.layer == config_layer::defaults)
      origin = loaded.origin_of(element + "keys_file");
    const bool file = origin.layer == config_layer::file || origin.layer == config_layer::database;
    for (const auto& characters : upstreams[i].keys) {
      configured_key k;
      k.id = http::fingerprint(characters.reveal()).value;
      k.characters = characters;
      k.upstream = upstreams[i].name;
      k.name = upstreams[i].name + '-' + std::to_string(keys.size() + 1);
      k.origin = file ? item_origin::file : item_origin::environment;
      k.origin_text = to_string(origin);
      keys.push_back(std::move(k));
    }
  }
  return keys;
}

template <class T, class Work>
void in_pieces(std::vector<T>& all, const Work& work) {
  for (std::size_t at = 0; at < all.size(); at += pool_step) {
    const auto end = std::min(at + pool_step, all.size());
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(at);
    work({std::make_move_iterator(begin),
          std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(end))});
  }
}

} // namespace

inventory::inventory(inventory_parts parts, ledger book)
    : parts_(std::move(parts)),
      book_(std::move(book)),
      keys_(book_, *parts_.vault, numbers_),
      credentials_(book_),
      settings_(book_, *parts_.vault, parts_.sources) {}

inventory::~inventory() {
  book_.settle();
  for (const auto& job : parts_.jobs.list())
    if (job.state == job_state::running)
      parts_.log.write(log_area::storage, log_level::warning, {},
                       job.kind + " was cut by the stop after " + std::to_string(job.done)
                           + (job.total != 0 ? " of " + std::to_string(job.total) : std::string{})
                           + "; what it had done stays");
  if (copying_.joinable())
    copying_.join();
}

result<std::unique_ptr<inventory>> inventory::open(inventory_parts parts,
                                                   std::vector<std::string>& warnings) {
  auto book = ledger::open(parts.db, parts.wall);
  if (!book)
    return book.error();
  std::unique_ptr<inventory> made(new inventory(std::move(parts), *std::move(book)));
  if (auto loaded = made->load(warnings); !loaded)
    return loaded.error();
  return made;
}

result<void> inventory::load(std::vector<std::string>& warnings) {
  if (auto read = settings_.load(warnings); !read)
    return read;
  const auto& loaded = *settings_.loaded();
  if (auto read = keys_.load(configured_keys(loaded), warnings); !read)
    return read;
  effects ignored; // the pool is made from the whole table
  keys_.use(loaded.values, ignored);
  if (auto lost = keys_.refuse_missing(loaded.values))
    for (const auto& f : lost->fields)
      warnings.push_back("keys without an upstream are not used: " + f.message);
  if (auto read = credentials_.load(loaded, warnings); !read)
    return read;
  auto made = credentials_.make_first();
  if (!made)
    return made.error();
  if (!made->client.empty() || !made->admin.empty())
    made_ = *std::move(made);
  return {};
}

void inventory::carry_out(effects& e) {
  if (e.settings)
    keys_.use(settings_.loaded()->values, e);
  const bool keys = !e.added.empty() || !e.removed.empty() || !e.set_aside.empty();
  // New keys first and old ones last, so that at every moment there are some that serve.
  in_pieces(e.added, [&](std::vector<pool_key> some) { door_->pool_add(std::move(some)); });
  if (e.settings) {
    door_->use_settings(*settings_.loaded(), keys_.served_kind());
    door_->pool_policy(settings_.loaded()->values.pool);
  }
  in_pieces(e.removed,
            [&](std::vector<std::uint64_t> some) { door_->pool_remove(std::move(some), true); });
  in_pieces(e.set_aside,
            [&](std::vector<std::uint64_t> some) { door_->pool_remove(std::move(some), false); });
  if (keys)
    door_->keys_are(keys_.size());
  if (e.credentials)
    door_->use_credentials(credentials_);
  e = {};
  book_.prune();
}

settings_table::veto inventory::keeps_upstreams() {
  return [this](const troupe::settings& s) { return keys_.refuse_missing(s); };
}

// --- settings ------------------------------------------------------------------------------

answer<settings_view> inventory::ask(const get_settings&) {
  return settings_.view();
}

answer<settings_changed> inventory::ask(const change_settings& q) {
  return in_force([&](effects& e) { return settings_.change(q, keeps_upstreams(), e); });
}

answer<settings_history> inventory::ask(const get_settings_history& q) {
  return settings_.history(q);
}

answer<settings_diff> inventory::ask(const diff_settings& q) {
  return settings_.diff(q);
}

answer<settings_changed> inventory::ask(const restore_settings& q) {
  return in_force([&](effects& e) { return settings_.restore(q, keeps_upstreams(), e); });
}

// --- credentials, audit ----------------------------------------------------------------------

answer<std::vector<credential_view>> inventory::ask(const list_credentials&) {
  return credentials_.list();
}

answer<new_credential> inventory::ask(const add_credential& q) {
  return in_force([&](effects& e) { return credentials_.add(q, e); });
}

answer<credential_view> inventory::ask(const edit_credential& q) {
  return in_force([&](effects& e) { return credentials_.edit(q, e); });
}

answer<nothing> inventory::ask(const revoke_credential& q) {
  return in_force([&](effects& e) { return credentials_.revoke(q, e); });
}

answer<new_credential> inventory::ask(const renew_credential& q) {
  return in_force([&](effects& e) { return credentials_.renew(q, e); });
}

answer<audit_page> inventory::ask(const list_audit& q) {
  return book_.list(q);
}

} // namespace troupe
