#include "tests/actors/cli/scripted_node.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using texts = std::vector<std::string>;

constexpr const char* credential =
    R"({"id":"cred_00000000000000c1","revision":2,"name":"app","role":"client","note":"",)"
    R"("expires":"2026-12-25T08:00:00Z","models":["gemini-*"],"groups":[],"limits":{"rpm":60},)"
    R"("origin":{"layer":"file","source":"troupe.json:3"},"created":"2026-11-25T07:00:00Z",)"
    R"("changed":null,"expired":false})";

std::string made(const std::string& secret) {
  return R"({"credential":)" + std::string{credential} + R"(,"secret":")" + secret + R"("})";
}

TEST(cli_credentials, the_new_secret_alone_goes_to_standard_output) {
  commanded c;
  c.node.answer("POST /admin/v1/credentials", 201, made("sk-troupe-abc"));
  EXPECT_EQ(c.run({"credentials", "add", "app", "--expires", "30d", "--model", "gemini-*",
                   "--group", "a", "--limit", "rpm=60", "--note", "for the app"}),
            0)
      << c.err;
  EXPECT_EQ(c.node.calls()[0].body,
            R"({"name":"app","role":"client","note":"for the app",)"
            R"("expires":"2026-12-25T08:00:00.000Z","models":["gemini-*"],"groups":["a"],)"
            R"("limits":{"rpm":60}})");
  EXPECT_EQ(c.out, "sk-troupe-abc\n");
  EXPECT_EQ(c.err, "cred_00000000000000c1 (app, client): this is the only time that its secret is "
                   "shown\n");
}

TEST(cli_credentials, add_checks_when_it_ends_before_it_asks) {
  commanded c;
  EXPECT_EQ(c("credentials add app --expires tomorrow"), 2);
  EXPECT_EQ(c("credentials add"), 2);
  EXPECT_EQ(c.node.calls().size(), 0U);
  c.node.answer("POST /admin/v1/credentials", 201, made("s"));
  EXPECT_EQ(c("credentials add ops --role operator --expires never --json"), 0) << c.err;
  EXPECT_EQ(c.node.calls()[0].body, R"({"name":"ops","role":"operator","expires":null})");
  EXPECT_EQ(c.out, made("s") + '\n');
  EXPECT_EQ(c.err, "");
}

TEST(cli_credentials, list_and_show_draw_what_there_is) {
  commanded c;
  c.node.answer("GET /admin/v1/credentials?role=client&q=app", 200,
                R"({"credentials":[)" + std::string{credential} + "]}");
  c.node.answer("GET /admin/v1/credentials/cred_00000000000000c1", 200, credential);
  EXPECT_EQ(c("credentials list --role client -q app"), 0) << c.err;
  EXPECT_EQ(c.out,
            "ID                     NAME  ROLE    EXPIRES  MODELS    GROUPS  LIMITS  CREATED\n"
            "cred_00000000000000c1  app   client  in 30 d  gemini-*          rpm 60  60 min "
            "ago\n");
  EXPECT_EQ(c("credentials show cred_00000000000000c1"), 0) << c.err;
  EXPECT_EQ(c.out, "id        cred_00000000000000c1\n"
                   "name      app\n"
                   "role      client\n"
                   "expires   2026-12-25 08:00:00 UTC (in 30 d)\n"
                   "models    gemini-*\n"
                   "groups    all\n"
                   "limits    rpm 60\n"
                   "origin    file (troupe.json:3)\n"
                   "created   2026-11-25 07:00:00 UTC (60 min ago)\n"
                   "revision  2\n");
}

TEST(cli_credentials, edit_sends_only_what_was_given) {
  commanded c;
  const std::string path = "/admin/v1/credentials/cred_00000000000000c1";
  c.node.answer("PATCH " + path, 200, credential);
  c.node.answer("GET " + path, 200, credential);
  EXPECT_EQ(c("credentials edit cred_00000000000000c1 --model all --expires never --if-match 2"), 0)
      << c.err;
  EXPECT_EQ(c.node.calls()[0].body, R"({"expires":null,"models":[]})");
  EXPECT_EQ(c.node.calls()[0].if_match, "\"2\"");
  EXPECT_EQ(c("credentials edit cred_00000000000000c1 --limit tpm=9"), 0) << c.err;
  EXPECT_EQ(c.node.lines(), (texts{"PATCH " + path, "GET " + path, "PATCH " + path}));
  EXPECT_EQ(c.node.calls()[2].body, R"({"limits":{"rpm":60,"tpm":9}})");
  EXPECT_EQ(c.node.calls()[2].if_match, "\"2\"");
  EXPECT_EQ(c("credentials edit cred_00000000000000c1"), 2);
}

TEST(cli_credentials, revoke_asks_and_renew_gives_the_new_secret) {
  commanded c;
  const std::string path = "/admin/v1/credentials/cred_00000000000000c1";
  c.node.answer("DELETE " + path, 204, "");
  c.node.answer("POST " + path + ":renew", 200, made("sk-troupe-new"));
  EXPECT_EQ(c("credentials revoke cred_00000000000000c1"), 2);
  EXPECT_EQ(c.node.calls().size(), 0U);
  EXPECT_EQ(c("credentials revoke cred_00000000000000c1 --yes"), 0) << c.err;
  EXPECT_EQ(c("credentials renew cred_00000000000000c1"), 0) << c.err;
  EXPECT_EQ(c.node.lines(), (texts{"DELETE " + path, "POST " + path + ":renew"}));
  EXPECT_EQ(c.out, "sk-troupe-new\n");
}

constexpr const char* settings_answer =
    R"({"revision":4,"document":{},"options":[)"
    R"({"path":"pool.attempts_max","value":5,"default":3,"fixed":false,)"
    R"("origin":{"layer":"database","source":""}},)"
    R"({"path":"pool.name","value":"x\u001b","default":"","fixed":true,)"
    R"("origin":{"layer":"environment","source":"TROUPE_POOL_NAME"}}],)"
    R"("awaiting_restart":["loops"]})";

TEST(cli_config, show_prints_options_and_where_they_are_from) {
  commanded c;
  c.node.answer("GET /admin/v1/settings?prefix=pool.", 200, settings_answer);
  EXPECT_EQ(c("config show pool."), 0) << c.err;
  EXPECT_EQ(c.out, "pool.attempts_max = 5\npool.name = \"x\\u001b\"\n");
  EXPECT_EQ(c.err, "not in force before a restart: loops\n");
  EXPECT_EQ(c("config show --origin pool."), 0);
  EXPECT_EQ(c.out, "pool.attempts_max = 5  (changed at run time)\n"
                   "pool.name = \"x\\u001b\"  (TROUPE_POOL_NAME, fixed)\n");
}

constexpr const char* changed =
    R"({"revision":5,"changes":[{"path":"pool.attempts_max","before":3,"after":5,)"
    R"("layer_before":"default","layer_after":"database","applies":"live"},)"
    R"({"path":"loops","before":1,"after":2,"layer_before":"database","layer_after":"database",)"
    R"("applies":"restart"}],"warnings":["careful"]})";

TEST(cli_config, set_sends_a_merge_patch_and_tells_what_changed) {
  commanded c;
  c.node.answer("PATCH /admin/v1/settings", 200, changed);
  EXPECT_EQ(c("config set pool.attempts_max 5 loops 2 --if-match 4"), 0) << c.err;
  EXPECT_EQ(c.node.calls()[0].body, R"({"pool":{"attempts_max":5},"loops":2})");
  EXPECT_EQ(c.node.calls()[0].if_match, "\"4\"");
  EXPECT_EQ(c.out, "pool.attempts_max: 3 -> 5  (from default to database)\n"
                   "loops: 1 -> 2  after a restart\n"
                   "revision 5\n");
  EXPECT_EQ(c.err, "warning: careful\n");
}

TEST(cli_config, a_dry_run_says_so_to_the_node_and_to_us) {
  commanded c;
  c.node.answer("PATCH /admin/v1/settings?dry_run=true", 200, changed);
  c.node.answer("POST /admin/v1/settings:restore?dry_run=true", 200, changed);
  EXPECT_EQ(c("config unset pool.attempts_max loops --dry-run"), 0) << c.err;
  EXPECT_EQ(c.node.calls()[0].body, R"({"pool":{"attempts_max":null},"loops":null})");
  EXPECT_NE(c.out.find("a dry run: nothing was changed"), std::string::npos);
  EXPECT_EQ(c("config restore 03 --dry-run"), 0) << c.err;
  EXPECT_EQ(c.node.calls()[1].body, R"({"revision":3})");
}

TEST(cli_config, patch_sends_a_file_without_its_comments) {
  commanded c;
  c.node.answer("PATCH /admin/v1/settings", 200, R"({"revision":5,"changes":[],"warnings":[]})");
  const auto path = c.file("p.json", "{ // why\n \"loops\": null, \"pool\": {\"a\": 1.50} }");
  EXPECT_EQ(c.run({"config", "patch", path}), 0) << c.err;
  EXPECT_EQ(c.node.calls()[0].body, R"({"loops":null,"pool":{"a":1.50}})");
  EXPECT_EQ(c.out, "nothing changes; the revision is 5\n");
  c.input = "{";
  EXPECT_EQ(c("config patch -"), 2);
  EXPECT_EQ(c.node.calls().size(), 1U);
}

TEST(cli_config, what_makes_no_sense_is_not_sent) {
  commanded c;
  for (const auto* words : {"config set loops", "config set", "config set upstreams[0].name x",
                            "config unset", "config restore x", "config restore -1"})
    EXPECT_EQ(c(words), 2) << words;
  EXPECT_EQ(c.node.calls().size(), 0U);
}

TEST(cli_config, a_refused_change_names_each_field) {
  commanded c;
  c.node.answer("PATCH /admin/v1/settings", 400,
                R"({"error":{"code":"invalid_request","message":"2 things are wrong",)"
                R"("request_id":"r1","details":[{"field":"loops","code":"out_of_range",)"
                R"("message":"must be at most 256"},{"field":"x","code":"unknown_option",)"
                R"("message":"is no option"}]}})");
  EXPECT_EQ(c("config set loops 999 x 1"), 1);
  EXPECT_EQ(c.err, "error: 2 things are wrong\n"
                   "  loops: must be at most 256\n"
                   "  x: is no option\n");
}

TEST(cli_config, history_and_diff) {
  commanded c;
  c.node.answer("GET /admin/v1/settings/history?limit=2", 200,
                R"({"versions":[{"revision":2,"at":"2026-11-25T07:57:00Z","who":"ops",)"
                R"("from":"local uid 0","what":"set loops","document":{}}],"next":null})");
  c.node.answer("GET /admin/v1/settings/diff?from=1&to=2", 200,
                R"({"differences":[{"path":"loops","before":null,"after":2}]})");
  c.node.answer("GET /admin/v1/settings?prefix=-", 200, R"({"revision":2,"options":[]})");
  EXPECT_EQ(c("config history --limit 2"), 0) << c.err;
  EXPECT_EQ(c.out, "REVISION  AT                                  WHO  FROM         WHAT\n"
                   "       2  2026-11-25 07:57:00 UTC  3 min ago  ops  local uid 0  set loops\n");
  EXPECT_EQ(c("config diff 1 2"), 0) << c.err;
  EXPECT_EQ(c.out, "loops: null -> 2\n");
  EXPECT_EQ(c("config diff 1"), 0) << c.err;
  EXPECT_EQ(c.node.calls().back().line, "GET /admin/v1/settings/diff?from=1&to=2");
}

TEST(cli_records, audit_and_whoami) {
  commanded c;
  c.node.answer("GET /admin/v1/audit?action=keys.&who=ops&target=key_1&limit=1", 200,
                R"({"entries":[{"id":"9","at":"2026-11-25T07:57:00Z","who":"ops","from":"::1",)"
                R"("action":"keys.edit","target":"key_1","before":3,"after":4,"request_id":"r",)"
                R"("changes":{"tier":1}}],"next":"9"})");
  c.node.answer("GET /admin/v1/whoami", 200,
                R"({"name":"ops","role":"operator","from":"127.0.0.1"})");
  EXPECT_EQ(c("audit --action keys. --who ops --target key_1 --limit 1"), 0) << c.err;
  EXPECT_EQ(
      c.out,
      "ID  AT                                  WHO  FROM  ACTION     TARGET  REVISION  CHANGES\n"
      " 9  2026-11-25 07:57:00 UTC  3 min ago  ops  ::1   keys.edit  key_1   3 -> 4    "
      "{\"tier\":1}\n");
  EXPECT_EQ(c.err, "there are older ones: --all lists all, --after 9 goes on\n");
  EXPECT_EQ(c("whoami"), 0) << c.err;
  EXPECT_EQ(c.out, "ops, operator, from 127.0.0.1\n");
}

TEST(cli_jobs, are_listed_shown_cancelled_and_awaited) {
  commanded c;
  c.node.answer("GET /admin/v1/jobs", 200,
                R"({"jobs":[{"id":"7","kind":"backup","who":"ops","state":"failed","done":1,)"
                R"("total":4,"started":"2026-11-25T07:57:00Z","ended":"2026-11-25T07:58:30Z",)"
                R"("report":null,"error":"no room"}]})");
  c.node.answer("GET /admin/v1/jobs/7", 200, job_json("running", 1, 4));
  c.node.answer("POST /admin/v1/jobs/7:cancel", 202, job_json("running", 1, 4));
  EXPECT_EQ(c("jobs"), 0) << c.err;
  EXPECT_EQ(c.out, "ID  KIND    STATE     DONE  STARTED    ENDED     WHO  ERROR\n"
                   " 7  backup  failed  1 of 4  3 min ago  90 s ago  ops  no room\n");
  EXPECT_EQ(c("jobs 7"), 0) << c.err;
  EXPECT_NE(c.out.find("state    running\n"), std::string::npos) << c.out;
  EXPECT_EQ(c("jobs 7 cancel"), 0) << c.err;
  EXPECT_EQ(c("jobs 7 explode"), 2);
  commanded d;
  d.node.answer("GET /admin/v1/jobs/7", 200, job_json("running", 1, 4));
  d.node.answer("GET /admin/v1/jobs/7", 200, job_json("failed", 1, 4, "null", "\"no room\""));
  EXPECT_EQ(d("jobs 7 wait"), 1);
  EXPECT_EQ(d.err, "error: the job failed: no room\n");
}

TEST(cli_jobs, progress_is_drawn_on_a_terminal_and_gone_in_the_end) {
  commanded c;
  c.terminal.err = true;
  c.node.answer("POST /admin/v1/secrets:rotate", 202, job_json("running", 0, 10));
  c.node.answer("GET /admin/v1/jobs/7", 200, job_json("running", 5, 10));
  c.node.answer(
      "GET /admin/v1/jobs/7", 200,
      job_json("done", 10, 10, R"({"resealed":10,"data_key":2,"master_origin":"master.key"})"));
  EXPECT_EQ(c("secrets rotate"), 0) << c.err;
  EXPECT_EQ(c.err, "\r[                              ] 0 of 10\x1b[K"
                   "\r[###############               ] 5 of 10\x1b[K"
                   "\r\x1b[K");
  EXPECT_EQ(c.out, "10 secrets sealed anew with data key 2; master key: master.key\n");
}

TEST(cli_jobs, waits_grow_to_a_second) {
  using namespace std::chrono_literals;
  commanded c;
  c.node.answer("POST /admin/v1/secrets:rotate", 202, job_json("running", 0, 10));
  for (int i = 0; i < 6; ++i)
    c.node.answer("GET /admin/v1/jobs/7", 200, job_json("running", i, 10));
  c.node.answer("GET /admin/v1/jobs/7", 200, job_json("done", 10, 10, "{}"));
  EXPECT_EQ(c("secrets rotate"), 0) << c.err;
  EXPECT_EQ(c.waits, (std::vector<duration>{50ms, 100ms, 200ms, 400ms, 800ms, 1s, 1s}));
}

TEST(cli_jobs, ctrl_c_asks_the_node_to_cancel_and_says_so) {
  commanded c;
  c.interrupt_after_waits = 2;
  c.node.answer("POST /admin/v1/secrets:rotate", 202, job_json("running", 0, 10));
  c.node.answer("GET /admin/v1/jobs/7", 200, job_json("running", 1, 10));
  c.node.answer("GET /admin/v1/jobs/7", 200, job_json("cancelled", 2, 10));
  c.node.answer("POST /admin/v1/jobs/7:cancel", 202, job_json("running", 2, 10));
  EXPECT_EQ(c("secrets rotate"), 1);
  EXPECT_EQ(c.node.lines(), (texts{"POST /admin/v1/secrets:rotate", "GET /admin/v1/jobs/7",
                                   "POST /admin/v1/jobs/7:cancel", "GET /admin/v1/jobs/7"}));
  EXPECT_EQ(c.err, "asking the node to cancel the job; Ctrl-C once more leaves it to itself\n"
                   "error: the job was cancelled\n");
}

TEST(cli_backup, tells_the_node_an_absolute_directory) {
  commanded c;
  c.node.answer("POST /admin/v1/backup", 202,
                job_json("done", 1, 1, R"({"number":3,"bytes":2048,"backups":3})"));
  EXPECT_EQ(c("backup /var/backups/./troupe"), 0) << c.err;
  EXPECT_EQ(c.node.calls()[0].body, R"({"directory":"/var/backups/troupe"})");
  EXPECT_EQ(c.out, "backup 3 in /var/backups/troupe, 2.0 KiB; 3 backups there\n");
  EXPECT_EQ(c("backup here"), 2) << "of which machine?";
  EXPECT_EQ(c.node.calls().size(), 1U);
}

TEST(cli_restore, asks_a_running_node_after_it_was_typed) {
  commanded c;
  c.node.answer("GET /admin/v1/whoami", 200, R"({"name":"ops","role":"operator","from":"x"})");
  c.node.answer("POST /admin/v1/restore", 202,
                job_json("done", 1, 1,
                         R"({"keys_added":1,"keys_changed":2,"keys_deleted":3,)"
                         R"("credentials_added":4,"credentials_changed":5,)"
                         R"("credentials_revoked":6,"settings_changed":true})"));
  EXPECT_EQ(c("restore /b"), 2);
  c.terminal = {true, false, true, 0};
  c.typed = {"yes"};
  EXPECT_EQ(c("restore /b"), 1);
  EXPECT_EQ(c.node.lines(), (texts{"GET /admin/v1/whoami", "GET /admin/v1/whoami"}));
  c.typed = {"restore"};
  c.terminal.err = true;
  EXPECT_EQ(c("restore /b"), 0) << c.err;
  EXPECT_EQ(c.node.calls().back().body, R"({"directory":"/b"})");
  EXPECT_EQ(c.out, "keys: 1 added, 2 changed, 3 deleted\n"
                   "credentials: 4 added, 5 changed, 6 revoked\n"
                   "settings: changed\n");
}

} // namespace
} // namespace troupe
