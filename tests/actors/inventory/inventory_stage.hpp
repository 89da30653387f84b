#pragma once

#include "actors/inventory/inventory.hpp"
#include "tests/support/still_system.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace troupe {

/// Stands for the node: takes what the inventory does to it, and keeps it for tests to see.
class fake_node final : public inventory_door {
public:
  void pool_add(std::vector<pool_key> keys) override {
    added += keys.size();
    for (auto& k : keys)
      pool[k.key] = std::move(k);
  }
  void pool_remove(std::vector<std::uint64_t> keys, bool forget) override {
    forgotten += forget ? keys.size() : 0;
    for (const auto key : keys)
      pool.erase(key);
  }
  void use_policy(const pool_policy& p) override { policy = p; }
  void use_limits(credential_table::limits_by_id all) override {
    limits = {all.begin(), all.end()};
    limits_before_admission = limits_before_admission && credentials_used == limits_used;
    ++limits_used;
  }
  key_briefs briefs() override {
    std::vector<key_brief> all;
    for (const auto& [key, k] : pool)
      all.push_back({key, states.contains(key) ? states[key] : key_state::ready, reasons[key], -1});
    return key_briefs{std::move(all)};
  }
  std::vector<key_status> statuses(std::vector<std::uint64_t> keys) override {
    std::vector<key_status> all;
    for (const auto key : keys)
      if (pool.contains(key))
        all.push_back(status(key));
    return all;
  }
  result<key_status> order(key_order order, std::uint64_t key, std::int64_t) override {
    orders.emplace_back(order, key);
    return status(key);
  }
  result<key_status> check_ended(std::uint64_t key, const settlement& end) override {
    checks.emplace_back(key, end.what);
    return status(key);
  }
  result<void> flush_states() override {
    ++flushes;
    return {};
  }
  void use_settings(const loaded_settings& loaded) override {
    settings = loaded.values;
    ++settings_used;
  }
  void use_credentials(const credential_table& all) override {
    clients = all.clients();
    admins = all.admins();
    ++credentials_used;
  }

  void keys_are(std::size_t now) override { count = now; }

  key_status status(std::uint64_t key) {
    key_status s;
    s.key = key;
    s.name = pool[key].name;
    s.state = states.contains(key) ? states[key] : key_state::ready;
    return s;
  }

  std::map<std::uint64_t, pool_key> pool;
  std::map<std::uint64_t, key_state> states;
  std::map<std::uint64_t, key_reason> reasons;
  std::vector<std::pair<key_order, std::uint64_t>> orders;
  std::vector<std::pair<std::uint64_t, gemini::answer_class>> checks;
  pool_policy policy;
  std::map<std::uint64_t, std::vector<limit>> limits; ///< of credentials
  troupe::settings settings;
  http::credential_set clients;
  http::credential_set admins;
  int settings_used = 0;
  int credentials_used = 0;
  int limits_used = 0;
  bool limits_before_admission = true; ///< each time
  int flushes = 0;
  std::size_t count = 0;
  std::size_t forgotten = 0;
  std::size_t added = 0; ///< adds, of known keys too
};

/// A store of truth in a directory of its own, with a clock that tests move.
class inventory_stage : public ::testing::Test {
protected:
  void SetUp() override { open(); }

  /// As a start of the node: pool and ports get what is there.
  void open() {
    auto db = storage::store::open({.directory = where_.path()});
    ASSERT_TRUE(db) << db.error().text;
    db_ = *std::move(db);
    storage::master_key_source master;
    master.file = where_.path() + "/master.key";
    auto vault = storage::vault::open(*db_, master);
    ASSERT_TRUE(vault) << vault.error().text;
    warnings_.clear();
    auto tables = inventory::open({*db_, *std::move(vault), master, sources_,
                                   [this] { return now_; }, jobs_, log_, where_.path()},
                                  warnings_);
    ASSERT_TRUE(tables) << tables.error().text;
    tables_ = *std::move(tables);
    tables_->attach(node_);
    node_.pool.clear();
    node_.pool_add(tables_->keys().pool_keys());
    node_.use_limits(tables_->credentials().limits());
    node_.use_credentials(tables_->credentials());
  }

  void close() {
    tables_.reset();
    db_.reset();
  }

  void restart() {
    close();
    open();
  }

  void file(std::string text) { sources_.file = config_text{"troupe.json", std::move(text)}; }

  answer<key_view> add(const std::string& characters, key_fields fields = {}) {
    return tables_->ask(add_one_key{by_, secret{characters}, std::move(fields)});
  }

  std::vector<key_view> all_keys(list_keys q = {}) {
    q.limit = 1'000;
    return tables_->ask(q).yes.keys;
  }

  std::vector<std::string> names(list_keys q) {
    std::vector<std::string> out;
    for (const auto& k : tables_->ask(q).yes.keys)
      out.push_back(k.item.name);
    return out;
  }

  /// Runs the job to its end.
  job_view finish(const answer<job_ticket>& begun) {
    EXPECT_TRUE(begun) << begun.no->text;
    if (!begun)
      return {};
    while (tables_->has_work())
      tables_->step();
    auto job = jobs_.find(begun.yes.job);
    while (job->state == job_state::running) // only copying has a thread of its own
      job = jobs_.find(begun.yes.job);
    return *job;
  }

  std::vector<std::string> actions() {
    std::vector<std::string> out;
    for (const auto& e : tables_->ask(list_audit{}).yes.entries)
      out.insert(out.begin(), e.entry.action);
    return out;
  }

  /// Files below the data directory that hold `text`, byte by byte.
  std::vector<std::string> files_with(const std::string& text) const {
    std::vector<std::string> found;
    for (const auto& f : std::filesystem::recursive_directory_iterator(where_.path())) {
      if (!f.is_regular_file())
        continue;
      std::ifstream in(f.path(), std::ios::binary);
      std::stringstream content;
      content << in.rdbuf();
      if (content.str().find(text) != std::string::npos)
        found.push_back(f.path());
    }
    return found;
  }

  temporary_directory where_;
  config_sources sources_;
  wall_time now_{std::chrono::milliseconds{1'780'000'000'000}};
  job_board jobs_{[this] { return now_; }};
  kept_log log_;
  fake_node node_;
  asker by_{"admin:root", "127.0.0.1", "r-1"};
  std::vector<std::string> warnings_;
  std::unique_ptr<storage::store> db_;
  std::unique_ptr<inventory> tables_;
};

} // namespace troupe
