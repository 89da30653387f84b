#include "actors/node_credentials.hpp"

#include "storage/core/credential_record.hpp"
#include "storage/random.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

namespace {

using storage::column;
using storage::credential_role;

constexpr std::size_t random_bytes = 24;

std::string prefix_of(credential_role role) {
  return role == credential_role::admin ? "admin/" : "client/";
}

result<std::vector<http::credential>>
configured_ones(const std::vector<credential_settings>& list) {
  std::vector<http::credential> out;
  for (const auto& c : list) {
    if (c.sha256.empty()) {
      out.push_back(http::credential_of(c.name, c.value.reveal()));
      continue;
    }
    const auto hash = http::parse_sha256(c.sha256);
    if (!hash)
      return failure{errc::invalid_argument,
                     "credential '" + c.name + "': sha256 is not 64 hex digits"};
    out.push_back({c.name, *hash});
  }
  return out;
}

result<std::vector<http::credential>> stored_ones(const storage::store& db, credential_role role) {
  std::vector<http::credential> out;
  std::optional<failure> bad;
  const auto prefix = prefix_of(role);
  auto read =
      db.for_each(column::credentials, prefix, [&](std::string_view key, std::string_view value) {
        auto record = storage::decode_credential(value);
        if (!record)
          bad = failure{record.error().code,
                        "credential '" + std::string{key} + "': " + record.error().text};
        else
          out.push_back({std::string{key.substr(prefix.size())}, record->sha256});
        return !bad;
      });
  if (!read)
    return read.error();
  if (bad)
    return *bad;
  return out;
}

/// A new credential, kept as its hash before anybody sees it.
result<secret> make_one(storage::store& db, credential_role role, const std::string& name) {
  secret made{"sk-troupe-" + storage::random_hex(random_bytes)};
  storage::credential_record record;
  record.role = role;
  record.sha256 = http::sha256(made.reveal());
  record.created_at_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
  auto kept = db.put(column::credentials, prefix_of(role) + name, encode(record),
                     storage::durability::power);
  if (!kept)
    return kept.error();
  return made;
}

/// The credentials of one role; `made` is filled if there were none.
result<std::vector<http::credential>> of_role(const std::vector<credential_settings>& configured,
                                              storage::store& db, credential_role role,
                                              secret& made) {
  if (!configured.empty())
    return configured_ones(configured);
  auto stored = stored_ones(db, role);
  if (!stored || !stored->empty())
    return stored;
  auto fresh = make_one(db, role, "first");
  if (!fresh)
    return fresh.error();
  made = *std::move(fresh);
  return std::vector<http::credential>{http::credential_of("first", made.reveal())};
}

} // namespace

result<node_credentials> prepare_credentials(const credentials_settings& configured,
                                             storage::store& db) {
  first_credentials made;
  auto clients = of_role(configured.clients, db, credential_role::client, made.client);
  if (!clients)
    return clients.error();
  auto admins = of_role(configured.admins, db, credential_role::admin, made.admin);
  if (!admins)
    return admins.error();
  node_credentials out;
  out.clients = http::credential_set{*std::move(clients)};
  out.admins = http::credential_set{*std::move(admins)};
  if (!made.client.empty() || !made.admin.empty())
    out.made = std::move(made);
  return out;
}

} // namespace troupe
