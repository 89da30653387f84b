// What each path asks of the inventory, and that each answer is as docs/api/openapi.json says.

#include "tests/actors/admin/admin_stage.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace troupe {
namespace {

using nlohmann::json;

constexpr std::string_view key_path = "/admin/v1/keys/key_00000000000000ff";
constexpr std::string_view credential_path = "/admin/v1/credentials/cred_0000000000000010";

key_view full_key() {
  key_view k;
  k.id = 255;
  k.header.revision = 3;
  k.header.created_at_ms = 1'795'593'600'000;
  k.header.changed_at_ms = 1'795'593'600'001;
  k.item.upstream = "first";
  k.item.kind = "vertex";
  k.item.name = "a \"name\"";
  k.item.domain = "d";
  k.item.groups = {"g"};
  k.item.tags = {"t", "u"};
  k.item.limits = {{"", storage::limit_kind::rpm, 10},
                   {"m1", storage::limit_kind::rpd, 5},
                   {"m2", storage::limit_kind::rpm, 1},
                   {"m1", storage::limit_kind::input_tpm, 7}};
  k.item.note = "n";
  k.has_proxy = true;
  k.proxy_shown = "http://host:1";
  k.origin = item_origin::file;
  k.origin_text = "troupe.json:12";
  k.status.key = 255;
  k.status.state = key_state::cooling;
  k.status.reason = key_reason::quota_minute;
  k.status.since_at_ms = 1'795'593'600'000;
  k.status.models = {{"gemini-2.5-pro", key_reason::quota_day, 1'795'593'600'000, 1}};
  k.status.answers[0] = 4;
  k.status.last_error = "too fast";
  return k;
}

credential_view full_credential() {
  credential_view c;
  c.id = 16;
  c.header.revision = 2;
  c.header.created_at_ms = 1'795'593'600'000;
  c.item.what = storage::role::client;
  c.item.name = "app";
  c.item.expires_at_ms = 1'795'593'600'000;
  c.item.models = {"gemini-*"};
  c.item.groups = {"g"};
  c.item.limits = {{"", storage::limit_kind::concurrency, 2}};
  return c;
}

class admin_paths : public testing::Test {
protected:
  admin_paths() {
    auto& s = stage.script();
    s.key = full_key();
    s.page.keys = {full_key(), key_view{}};
    s.page.next = "1.key_00000000000000ff.";
    s.page.total = 9;
    s.page.matched = 5;
    s.credential = full_credential();
  }

  /// Asks, and holds the answer to the schema.
  json ask(std::string_view method, std::string_view target, int status,
           std::string_view body = {}) {
    last = stage.ask(method, target, body);
    EXPECT_EQ(last->status, status) << last->body;
    EXPECT_EQ(schema_fault(*last), "") << method << ' ' << target << ' ' << last->body;
    return last->body.empty() ? json() : json::parse(last->body);
  }

  std::uint64_t next_job(std::string kind) {
    return stage.script().job = stage.jobs.begin(std::move(kind), "boss");
  }

  admin_stage stage;
  std::shared_ptr<fake_exchange> last;
};

TEST_F(admin_paths, a_key_is_shown_whole) {
  const auto k = ask("GET", key_path, 200);
  EXPECT_EQ(stage.script().last<get_key>().id, 255U);
  EXPECT_EQ(last->answered("etag"), "\"3\"");
  EXPECT_EQ(k.at("id"), "key_00000000000000ff");
  EXPECT_EQ(k.at("name"), "a \"name\"");
  EXPECT_EQ(k.at("kind"), "vertex");
  EXPECT_EQ(k.at("limits"),
            json::parse(R"({"rpm":10,"models":{"m1":{"rpd":5,"input_tpm":7},"m2":{"rpm":1}}})"));
  EXPECT_EQ(k.at("proxy"), "http://host:1");
  EXPECT_EQ(k.at("origin"), json::parse(R"({"layer":"file","source":"troupe.json:12"})"));
  EXPECT_EQ(k.at("created"), "2026-11-25T08:00:00.000Z");
  EXPECT_EQ(k.at("changed"), "2026-11-25T08:00:00.001Z");
  EXPECT_EQ(k.at("state"), "cooling");
  EXPECT_EQ(k.at("reason"), "quota_minute");
  EXPECT_EQ(k.at("last_used"), nullptr);
  EXPECT_EQ(k.at("counts").at("ok"), 4);
}

TEST_F(admin_paths, keys_are_listed_in_pages) {
  const auto page = ask("GET", "/admin/v1/keys?state=ready&sort=-name&limit=2", 200);
  const auto& q = stage.script().last<list_keys>();
  EXPECT_EQ(q.filter.states, std::vector<std::string>{"ready"});
  EXPECT_EQ(q.sort, key_sort::name);
  EXPECT_TRUE(q.descending);
  EXPECT_EQ(q.limit, 2U);
  EXPECT_EQ(page.at("keys").size(), 2U);
  EXPECT_EQ(page.at("next"), "1.key_00000000000000ff.");
  EXPECT_EQ(page.at("total"), 9);
  EXPECT_EQ(page.at("matched"), 5);
  stage.script().page.next.clear();
  EXPECT_EQ(ask("GET", "/admin/v1/keys", 200).at("next"), nullptr);
}

TEST_F(admin_paths, a_key_is_added_changed_and_deleted) {
  ask("POST", "/admin/v1/keys", 201, R"({"secret":"AIza1","name":"n"})");
  EXPECT_EQ(last->answered("location"), key_path);
  EXPECT_EQ(last->answered("etag"), "\"3\"");
  EXPECT_EQ(stage.script().last<add_one_key>().characters.reveal(), "AIza1");
  EXPECT_EQ(stage.script().last<add_one_key>().by.who, "boss");
  ask("PATCH", key_path, 200, R"({"note":"x"})");
  EXPECT_EQ(stage.script().last<edit_key>().fields.note, "x");
  EXPECT_EQ(stage.script().last<edit_key>().id, 255U);
  ask("DELETE", key_path, 204);
  EXPECT_EQ(stage.script().last<delete_key>().id, 255U);
  EXPECT_EQ(last->type, "");
}

TEST_F(admin_paths, orders_reach_the_key) {
  const std::string path{key_path};
  for (const auto& [word, what] : {std::pair{":enable", key_order::enable},
                                   {":disable", key_order::disable},
                                   {":reset", key_order::reset}}) {
    ask("POST", path + word, 200);
    EXPECT_EQ(stage.script().last<order_key>().order, what);
    EXPECT_EQ(stage.script().last<order_key>().id, 255U);
  }
  ask("POST", path + ":pause", 200, R"({"for":"90s"})");
  EXPECT_EQ(stage.script().last<order_key>().order, key_order::pause);
  EXPECT_EQ(stage.script().last<order_key>().pause_ms, 90'000);
}

TEST_F(admin_paths, an_import_begins_a_job) {
  const auto job = next_job("keys.import");
  const auto told = ask("POST", "/admin/v1/keys:import", 202, R"({"text":"AIza1 AIza2"})");
  EXPECT_EQ(last->answered("location"), "/admin/v1/jobs/" + std::to_string(job));
  EXPECT_EQ(told.at("job").at("id"), std::to_string(job));
  EXPECT_EQ(told.at("job").at("state"), "running");
  EXPECT_EQ(told.at("job").at("report"), nullptr);
  EXPECT_EQ(stage.script().last<import_keys>().text.reveal(), "AIza1 AIza2");
}

TEST_F(admin_paths, a_change_of_many_keys_begins_a_job) {
  next_job("keys.bulk");
  ask("POST", "/admin/v1/keys:bulk", 202,
      R"({"action":"edit","filter":{"group":"g"},"fields":{"weight":2}})");
  const auto& q = stage.script().last<change_keys>();
  EXPECT_EQ(q.action, bulk_action::edit);
  EXPECT_EQ(q.filter.group, "g");
  EXPECT_EQ(q.fields.weight, 2U);
  EXPECT_EQ(q.by.who, "boss");
}

TEST_F(admin_paths, credentials_are_listed_and_shown) {
  const auto all = ask("GET", "/admin/v1/credentials", 200).at("credentials");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].at("id"), "cred_0000000000000010");
  EXPECT_EQ(all[0].at("role"), "client");
  EXPECT_EQ(all[0].at("expires"), "2026-11-25T08:00:00.000Z");
  EXPECT_EQ(all[0].at("expired"), true);
  EXPECT_EQ(ask("GET", "/admin/v1/credentials?role=viewer", 200).at("credentials").size(), 0U);
  ask("GET", credential_path, 200);
  EXPECT_EQ(last->answered("etag"), "\"2\"");
  stage.wall_ms -= 1;
  EXPECT_EQ(ask("GET", credential_path, 200).at("expired"), false);
  ask("GET", "/admin/v1/credentials/cred_0000000000000011", 404);
}

TEST_F(admin_paths, a_new_credential_is_shown_once) {
  const auto made = ask("POST", "/admin/v1/credentials", 201, R"({"name":"app","role":"client"})");
  EXPECT_EQ(made.at("secret"), "sk-troupe-shown-once");
  EXPECT_EQ(last->answered("location"), credential_path);
  EXPECT_EQ(stage.script().last<add_credential>().fields.name, "app");
  const auto renewed = ask("POST", std::string{credential_path} + ":renew", 201);
  EXPECT_EQ(renewed.at("secret"), "sk-troupe-shown-once");
  EXPECT_EQ(stage.script().last<renew_credential>().id, 16U);
  ask("GET", credential_path, 200);
  EXPECT_EQ(last->body.find("shown-once"), std::string::npos);
}

TEST_F(admin_paths, a_credential_is_changed_and_revoked) {
  ask("PATCH", credential_path, 200, R"({"models":["gemini-2.5-*"]})");
  EXPECT_EQ(stage.script().last<edit_credential>().fields.models,
            std::vector<std::string>{"gemini-2.5-*"});
  ask("DELETE", credential_path, 204);
  EXPECT_EQ(stage.script().last<revoke_credential>().id, 16U);
}

TEST_F(admin_paths, settings_are_shown_with_their_origin) {
  auto& s = stage.script().settings;
  s.revision = 4;
  config_sources sources;
  sources.environment = {{"TROUPE_POOL_STRIKES_MAX", "7"}};
  s.loaded = std::make_shared<const loaded_settings>(load_settings(sources));
  s.document = R"({"pool":{"cooldown":"5s"}})";
  s.awaiting_restart = {"listen"};
  const auto all = ask("GET", "/admin/v1/settings", 200);
  EXPECT_EQ(last->answered("etag"), "\"4\"");
  EXPECT_EQ(all.at("document").at("pool").at("cooldown"), "5s");
  EXPECT_EQ(all.at("awaiting_restart"), json::array({"listen"}));
  EXPECT_GT(all.at("options").size(), 30U);
  const auto some = ask("GET", "/admin/v1/settings?prefix=pool.strikes", 200).at("options");
  ASSERT_EQ(some.size(), 1U);
  EXPECT_EQ(some[0].at("path"), "pool.strikes_max");
  EXPECT_EQ(some[0].at("value"), 7);
  EXPECT_EQ(some[0].at("fixed"), true);
  EXPECT_EQ(some[0].at("origin").at("layer"), "environment");
}

TEST_F(admin_paths, settings_are_changed_by_a_merge_patch) {
  auto& c = stage.script().changed;
  c.revision = 5;
  c.changes = {
      {"pool.cooldown", "\"60s\"", "\"5s\"", config_layer::defaults, config_layer::database, true}};
  c.warnings = {"mind the gap"};
  const auto done =
      ask("PATCH", "/admin/v1/settings?dry_run=true", 200, R"({"pool":{"cooldown":"5s"}})");
  EXPECT_EQ(last->answered("etag"), "\"5\"");
  EXPECT_TRUE(stage.script().last<change_settings>().dry_run);
  EXPECT_EQ(stage.script().last<change_settings>().patch, R"({"pool":{"cooldown":"5s"}})");
  EXPECT_EQ(done.at("changes")[0],
            json::parse(R"({"path":"pool.cooldown","before":"60s","after":"5s",
              "layer_before":"default","layer_after":"database","applies":"live"})"));
  ask("PATCH", "/admin/v1/settings", 400, "[]");
  const auto merge = stage.ask_as(
      "PATCH", "/admin/v1/settings", "{}",
      {{"authorization", "Bearer sk-operator"}, {"content-type", "application/merge-patch+json"}});
  EXPECT_EQ(merge->status, 200);
}

TEST_F(admin_paths, versions_of_the_settings_are_listed_compared_and_restored) {
  auto& s = stage.script();
  s.history.versions = {{7, 1'795'593'600'000, "boss", "10.0.0.1", "changed x", R"({"a":1})"}};
  s.history.more = true;
  const auto h = ask("GET", "/admin/v1/settings/history?limit=1&after=8", 200);
  EXPECT_EQ(s.last<get_settings_history>().before, 8U);
  EXPECT_EQ(s.last<get_settings_history>().limit, 1U);
  EXPECT_EQ(h.at("next"), "7");
  EXPECT_EQ(h.at("versions")[0].at("document").at("a"), 1);
  s.history.more = false;
  EXPECT_EQ(ask("GET", "/admin/v1/settings/history", 200).at("next"), nullptr);

  s.diff.differences = {{"a", "1", "null"}};
  const auto d = ask("GET", "/admin/v1/settings/diff?from=3&to=7", 200);
  EXPECT_EQ(s.last<diff_settings>().from, 3U);
  EXPECT_EQ(s.last<diff_settings>().to, 7U);
  EXPECT_EQ(d.at("differences")[0], json::parse(R"({"path":"a","before":1,"after":null})"));
  ask("GET", "/admin/v1/settings/diff?from=3", 400);
  EXPECT_NE(last->body.find("\"field\":\"to\",\"code\":\"missing\""), std::string::npos);

  ask("POST", "/admin/v1/settings:restore", 200, R"({"revision":3})");
  EXPECT_EQ(s.last<restore_settings>().revision, 3U);
  EXPECT_FALSE(s.last<restore_settings>().dry_run);
  ask("POST", "/admin/v1/settings:restore", 400, "{}");
  ask("POST", "/admin/v1/settings:restore", 400, R"({"revision":-1})");
}

TEST_F(admin_paths, the_audit_is_listed_newest_first) {
  storage::audit_entry e;
  e.at_ms = 1'795'593'600'000;
  e.who = "boss";
  e.from = "10.0.0.1";
  e.action = "keys.add";
  e.target = "key_00000000000000ff";
  e.after = 1;
  e.request_id = "req-7";
  e.changes = R"({"note":{"before":"","after":"x"}})";
  stage.script().audit.entries = {{117'676'182'077'440'000, e}};
  stage.script().audit.next = 117'676'182'077'440'000;
  const auto page = ask("GET",
                        "/admin/v1/audit?action=keys.&who=boss&target=t&limit=1"
                        "&after=117676182077440001",
                        200);
  const auto& q = stage.script().last<list_audit>();
  EXPECT_EQ(q.action + q.who + q.target, "keys.bosst");
  EXPECT_EQ(q.before, 117'676'182'077'440'001U);
  EXPECT_EQ(page.at("entries")[0].at("id"), "117676182077440000");
  EXPECT_EQ(page.at("entries")[0].at("changes").at("note").at("after"), "x");
  EXPECT_EQ(page.at("next"), "117676182077440000");
}

TEST_F(admin_paths, jobs_are_shown_and_cancelled) {
  const auto job = std::to_string(stage.jobs.begin("backup", "boss", 3));
  EXPECT_EQ(ask("GET", "/admin/v1/jobs", 200).at("jobs").size(), 1U);
  EXPECT_EQ(ask("GET", "/admin/v1/jobs/" + job, 200).at("job").at("total"), 3);
  ask("POST", "/admin/v1/jobs/" + job + ":cancel", 202);
  EXPECT_TRUE(stage.jobs.find(1)->cancel);
  stage.jobs.end(1, job_state::failed, "{}", "no room");
  const auto ended = ask("GET", "/admin/v1/jobs/" + job, 200).at("job");
  EXPECT_EQ(ended.at("state"), "failed");
  EXPECT_EQ(ended.at("error"), "no room");
  EXPECT_EQ(ended.at("ended"), "2026-11-25T08:00:00.000Z");
  ask("POST", "/admin/v1/jobs/" + job + ":cancel", 202);
  ask("GET", "/admin/v1/jobs/77", 404);
  ask("POST", "/admin/v1/jobs/77:cancel", 404);
}

TEST_F(admin_paths, backup_restore_and_rotation_begin_jobs) {
  next_job("backup");
  ask("POST", "/admin/v1/backup", 202, R"({"directory":"/var/b"})");
  EXPECT_EQ(stage.script().last<back_up>().directory, "/var/b");
  next_job("restore");
  ask("POST", "/admin/v1/restore", 202, R"({"directory":"/var/b"})");
  EXPECT_EQ(stage.script().last<restore_from>().directory, "/var/b");
  next_job("secrets.rotate");
  ask("POST", "/admin/v1/secrets:rotate", 202);
  EXPECT_TRUE(stage.script().was_asked<rotate_secrets>());
  ask("POST", "/admin/v1/backup", 400, "{}");
  ask("POST", "/admin/v1/backup", 400, R"({"directory":""})");
  ask("POST", "/admin/v1/restore", 400, R"({"directory":7})");
}

TEST_F(admin_paths, a_page_of_a_hundred_keys_is_written_in_a_fraction_of_its_time) {
  stage.script().page.keys.assign(100, full_key());
  const auto before = std::chrono::steady_clock::now();
  std::size_t bytes = 0;
  for (int i = 0; i < 100; ++i)
    bytes += key_page_document(stage.script().page).size();
  const auto each = (std::chrono::steady_clock::now() - before) / 100;
  EXPECT_GT(bytes, 100U * 100U * 500U);
  EXPECT_LT(each, std::chrono::milliseconds{5});
}

} // namespace
} // namespace troupe
