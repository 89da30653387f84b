#include "actors/inventory/inventory.hpp"

#include "actors/time_zone.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <unordered_map>
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
  if (auto days = read_zone(loaded.values.pool.day_zone, parts_.wall()); !days)
    return failure{days.error().code, "pool.day_zone ("
                                          + to_string(loaded.origin_of("pool.day_zone"))
                                          + "): " + days.error().text};
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
  if (e.settings)
    settings_in_force();
  in_pieces(e.removed,
            [&](std::vector<std::uint64_t> some) { door_->pool_remove(std::move(some), true); });
  in_pieces(e.set_aside,
            [&](std::vector<std::uint64_t> some) { door_->pool_remove(std::move(some), false); });
  if (keys)
    door_->keys_are(keys_.size());
  if (e.credentials) {
    // The pool first: nobody is admitted before his limits are there.
    door_->use_limits(credentials_.limits());
    door_->use_credentials(credentials_);
  }
  e = {};
  book_.prune();
}

void inventory::settings_in_force() {
  const auto& loaded = *settings_.loaded();
  door_->use_settings(loaded);
  if (auto days = read_zone(loaded.values.pool.day_zone, parts_.wall()))
    door_->use_policy(pool_policy_of(loaded.values, *std::move(days)));
  else // it was read before the change was stored; whatever this is, the old policy goes on
    parts_.log.write(log_area::pool, log_level::error, {}, days.error().text);
}

std::optional<refused> inventory::refuse_zone(const troupe::settings& s) const {
  auto days = read_zone(s.pool.day_zone, parts_.wall());
  if (days)
    return std::nullopt;
  return refused{errc::invalid_argument,
                 "invalid_request",
                 "The settings are not valid; nothing was changed.",
                 {{"pool.day_zone", "invalid_value", days.error().text}},
                 0};
}

settings_table::veto inventory::livable() {
  return [this](const troupe::settings& s) {
    auto no = refuse_zone(s);
    return no ? no : keys_.refuse_missing(s);
  };
}

// --- settings ------------------------------------------------------------------------------

answer<settings_view> inventory::ask(const get_settings&) {
  return settings_.view();
}

answer<settings_changed> inventory::ask(const change_settings& q) {
  return in_force([&](effects& e) { return settings_.change(q, livable(), e); });
}

answer<settings_history> inventory::ask(const get_settings_history& q) {
  return settings_.history(q);
}

answer<settings_diff> inventory::ask(const diff_settings& q) {
  return settings_.diff(q);
}

answer<settings_changed> inventory::ask(const restore_settings& q) {
  return in_force([&](effects& e) { return settings_.restore(q, livable(), e); });
}

// --- upstreams, credentials, audit
// ----------------------------------------------------------------------

answer<std::vector<upstream_view>> inventory::ask(const list_upstreams&) {
  std::vector<upstream_view> all;
  std::unordered_map<std::string_view, std::array<std::uint64_t, 4>> states;
  const auto briefs = door_->briefs();
  for (const auto& [id, e] : keys_.all())
    if (keys_.served(e))
      ++states[e.item.upstream][static_cast<std::size_t>(briefs.of(id).state)];
  for (const auto& u : settings_.loaded()->values.upstreams)
    all.push_back({u.name, u.kind, u.base_url, u.limits, keys_.count_for(u.name), states[u.name]});
  return all;
}

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
