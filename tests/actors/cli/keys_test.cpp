#include "tests/actors/cli/scripted_node.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

constexpr const char* id = "key_00000000000000a1";

TEST(cli_keys, list_asks_for_what_the_flags_say_and_draws_a_table) {
  commanded c;
  c.node.answer("GET /admin/v1/keys?q=x%20y&state=ready,cooling&tag=paid&sort=-last_used&limit=100",
                200,
                R"({"keys":[)" + key_json(id) + ','
                    + key_json("key_00000000000000a2",
                               R"("state":"cooling","reason":"quota_day","name":"主密钥",)"
                               R"("until":"2026-11-25T10:30:00Z")")
                    + R"(],"next":null,"total":5,"matched":2})");
  EXPECT_EQ(c.run({"keys", "list", "--search", "x y", "--state", "ready", "--state", "cooling",
                   "--tag", "paid", "--sort", "-last_used"}),
            0)
      << c.err;
  EXPECT_EQ(
      c.out,
      "ID                    NAME    STATE    REASON     UNTIL   UPSTREAM  TIER  WEIGHT     OK"
      "  LAST USED  TAGS\n"
      "key_00000000000000a1  main    ready                       gemini       0       1  1,200"
      "  12 s ago   paid\n"
      "key_00000000000000a2  主密钥  cooling  quota_day  in 2 h  gemini       0       1  1,200"
      "  12 s ago   paid\n");
  EXPECT_EQ(c.err, "2 of 2 keys, 5 without the filter\n");
  EXPECT_EQ(c.node.calls()[0].authorization, "Bearer sk-admin-0123456789");
}

TEST(cli_keys, list_goes_through_all_pages_and_gives_one_document) {
  commanded c;
  c.node.answer("GET /admin/v1/keys?limit=1000", 200,
                R"({"keys":[{"id":"a"},{"id":"b"}],"next":"m 1","total":3,"matched":3})");
  c.node.answer("GET /admin/v1/keys?limit=1000&after=m%201", 200,
                R"({"keys":[{"id":"c"}],"next":null,"total":3,"matched":3})");
  EXPECT_EQ(c("keys list --all --json"), 0) << c.err;
  EXPECT_EQ(c.out,
            "{\"keys\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}],\"next\":null,\"total\":3,"
            "\"matched\":3}\n");
  EXPECT_EQ(c.err, "");
  EXPECT_EQ(c.node.calls().size(), 2U);
}

TEST(cli_keys, list_asks_for_no_more_than_the_limit) {
  commanded c;
  c.node.answer("GET /admin/v1/keys?limit=2&after=z", 200,
                R"({"keys":[{"id":"a"},{"id":"b"}],"next":"m","total":9,"matched":9})");
  EXPECT_EQ(c("keys list --limit 2 --after z"), 0);
  EXPECT_EQ(c.node.calls().size(), 1U);
  EXPECT_EQ(c.err, "2 of 9 keys; --all lists all, --after m goes on\n");
  EXPECT_EQ(c("keys list --limit 0"), 2);
}

TEST(cli_keys, list_goes_over_empty_pages_but_never_asks_without_end) {
  commanded c;
  const auto page = R"({"keys":[],"next":"m","total":9,"matched":9})";
  c.node.answer("GET /admin/v1/keys?limit=1000", 200, page);
  c.node.answer("GET /admin/v1/keys?limit=1000&after=m", 200, page);
  EXPECT_EQ(c("keys list --all"), 0);
  EXPECT_EQ(c.node.calls().size(), 2U);
}

TEST(cli_keys, show_tells_all_of_one_key) {
  commanded c;
  c.node.answer(std::string{"GET /admin/v1/keys/"} + id, 200, key_json(id));
  EXPECT_EQ(c.run({"keys", "show", id}), 0) << c.err;
  EXPECT_EQ(c.out, "id         key_00000000000000a1\n"
                   "name       main\n"
                   "state      ready\n"
                   "enabled    yes\n"
                   "upstream   gemini\n"
                   "groups     a, b\n"
                   "tags       paid\n"
                   "weight     1\n"
                   "tier       0\n"
                   "limits     rpm 10; gemini-2.5-pro: rpm 5\n"
                   "in flight  0\n"
                   "calls      granted 1,234, ok 1,200\n"
                   "tokens     prompt 5\n"
                   "last used  2026-11-25 07:59:48 UTC (12 s ago)\n"
                   "origin     database\n"
                   "created    2026-11-24 08:00:00 UTC (24 h ago)\n"
                   "changed    2026-11-25 07:57:00 UTC (3 min ago)\n"
                   "revision   3\n");
}

TEST(cli_keys, what_can_be_nobodys_id_is_not_asked_for) {
  commanded c;
  for (const auto* words :
       {"keys show main", "keys show key_00000000000000A1", "keys enable key_1", "keys check ../x",
        "keys delete key_00000000000000a1 x --yes", "keys edit x --tier 1",
        "credentials show key_00000000000000a1", "credentials revoke x --yes",
        "credentials renew x", "credentials edit x --name y"})
    EXPECT_EQ(c(words), 6) << words;
  EXPECT_NE(c.err.find("ids look like cred_0123456789abcdef"), std::string::npos) << c.err;
  EXPECT_EQ(c.node.calls().size(), 0U);
}

TEST(cli_keys, hostile_names_reach_no_terminal_raw) {
  commanded c;
  const std::string evil = R"("state":"disabled","reason":"x\u001b]0;owned\u0007",)"
                           R"("last_error":"\u001b[2J\u202e\r\n"})";
  const auto key = R"({"id":"k","name":"\u001b[31m\u009b1m)"
                   "\xc2\x9b"
                   R"(",)"
                   + evil;
  c.node.answer("GET /admin/v1/keys/key_00000000000000a1", 200, key);
  c.node.answer("GET /admin/v1/keys?limit=100", 200,
                R"({"keys":[)" + key + R"(],"next":"\u001b[m","total":1,"matched":1})");
  c.node.answer("POST /admin/v1/keys/key_00000000000000a1:enable", 200, key);
  c.node.answer("GET /admin/v1/keys/key_00000000000000bd", 404,
                R"({"error":{"code":"not_found","message":"\u001b[2J","request_id":"r",)"
                R"("details":[{"field":"\u001b","code":"x","message":"\u009b"}]}})");
  c.terminal = {true, true, true, 60};
  c.environment["NO_COLOR"] = "1";
  for (const auto* words :
       {"keys show key_00000000000000a1", "keys list", "keys enable key_00000000000000a1",
        "keys show key_00000000000000bd", "keys show key_00000000000000a1 --json",
        "keys show key_00000000000000bd --json", "keys show \x1b[2J"}) {
    c(words);
    for (const auto& text : {c.out, c.err}) {
      EXPECT_EQ(text.find_first_of("\x1b\x07\r"), std::string::npos) << words << ": " << text;
      EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos) << words << ": " << text;
      EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos) << words << ": " << text;
    }
    EXPECT_NE(c.out + c.err, "");
  }
}

TEST(cli_keys, colours_and_cuts_are_for_terminals_that_want_them) {
  commanded c;
  c.node.answer("GET /admin/v1/keys?limit=100", 200,
                R"({"keys":[)" + key_json(id) + R"(],"next":null,"total":1,"matched":1})");
  c.terminal.out = true;
  c.terminal.columns = 40;
  c("keys list");
  EXPECT_NE(c.out.find("\x1b[32mready\x1b[0m"), std::string::npos);
  EXPECT_EQ(c.out.find("paid"), std::string::npos) << "beyond the terminal's edge";
  c.environment["NO_COLOR"] = "1";
  c("keys list");
  EXPECT_EQ(c.out.find('\x1b'), std::string::npos);
  c.environment.erase("NO_COLOR");
  c.terminal = {};
  c("keys list");
  EXPECT_EQ(c.out.find('\x1b'), std::string::npos);
  EXPECT_NE(c.out.find("paid"), std::string::npos);
}

TEST(cli_keys, add_takes_the_key_from_standard_input) {
  commanded c;
  c.input = "\n  AIzaSyTheKey0123  \r\n";
  c.node.answer("POST /admin/v1/keys", 201, key_json(id));
  EXPECT_EQ(c.run({"keys", "add", "--name", "main key", "--tag", "a", "--tag", "b", "--weight", "2",
                   "--limit", "rpm=10", "--limit", "gemini-2.5-pro:rpm=5"}),
            0)
      << c.err;
  ASSERT_EQ(c.node.calls().size(), 1U);
  EXPECT_EQ(c.node.calls()[0].body,
            R"({"secret":"AIzaSyTheKey0123","name":"main key","tags":["a","b"],"weight":2,)"
            R"("limits":{"rpm":10,"models":{"gemini-2.5-pro":{"rpm":5}}}})");
  EXPECT_EQ(c.node.calls()[0].content_type, "application/json");
  EXPECT_NE(c.out.find(id), std::string::npos);
  EXPECT_EQ((c.out + c.err).find("AIzaSyTheKey"), std::string::npos);
}

TEST(cli_keys, add_takes_the_key_from_a_file_or_typed_unseen) {
  commanded c;
  c.node.answer("POST /admin/v1/keys", 201, key_json(id));
  EXPECT_EQ(c.run({"keys", "add", "--secret-file", c.file("k", "AIzaFromFile\n")}), 0) << c.err;
  EXPECT_EQ(c.node.calls()[0].body, R"({"secret":"AIzaFromFile"})");
  c.terminal.in = true;
  c.typed = {"AIzaTyped"};
  EXPECT_EQ(c("keys add"), 0) << c.err;
  EXPECT_EQ(c.node.calls()[1].body, R"({"secret":"AIzaTyped"})");
  EXPECT_EQ(c.typed_hidden, std::vector<bool>{true});
}

TEST(cli_keys, add_takes_no_key_from_an_argument_and_only_one) {
  commanded c;
  EXPECT_EQ(c("keys add AIzaSyTheKey0123"), 2);
  EXPECT_EQ(c("keys add"), 2) << "nothing on standard input";
  c.input = "AIza1 AIza2";
  EXPECT_EQ(c("keys add"), 2);
  EXPECT_NE(c.err.find("keys import"), std::string::npos);
  c.input = "AIza1";
  EXPECT_EQ(c("keys add --weight x"), 2);
  EXPECT_EQ(c("keys add --proxy http://u:secret@h:1"), 2);
  EXPECT_EQ(c.err.find("secret"), std::string::npos);
  EXPECT_EQ(c.node.calls().size(), 0U);
}

TEST(cli_keys, import_sends_the_text_as_it_is_and_prints_the_report) {
  commanded c;
  const auto report = R"({"added":2,"already_there":1,"repeated":0,"refused":1,)"
                      R"("refusals":[{"line":3,"reason":"no digit"}],"dry_run":false})";
  c.node.answer("POST /admin/v1/keys:import?upstream=gemini&group=a,b&tag=new", 202,
                job_json("running", 0, 3));
  c.node.answer("GET /admin/v1/jobs/7", 200, job_json("running", 1, 3));
  c.node.answer("GET /admin/v1/jobs/7", 200, job_json("done", 3, 3, report));
  const auto path = c.file("keys.txt", "AIza1\n\"AIza2\"\nnokey\n");
  EXPECT_EQ(c.run({"keys", "import", path, "--upstream", "gemini", "--group", "a", "--group", "b",
                   "--tag", "new"}),
            1)
      << "one was refused";
  EXPECT_EQ(c.node.calls()[0].body, "AIza1\n\"AIza2\"\nnokey\n");
  EXPECT_EQ(c.node.calls()[0].content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(c.out, "2 keys added, 1 already there, 0 repeated, 1 refused\n"
                   "LINE  REFUSED BECAUSE\n"
                   "   3  no digit\n");
  EXPECT_EQ(c.err, "") << "no terminal, no progress";
  EXPECT_EQ(c.waits, (std::vector<duration>{50ms, 100ms}));
}

TEST(cli_keys, import_reads_standard_input_and_can_be_a_dry_run) {
  commanded c;
  c.input = "AIza1";
  c.node.answer("POST /admin/v1/keys:import?dry_run=true", 202,
                job_json("done", 1, 1, R"({"added":1,"dry_run":true})"));
  EXPECT_EQ(c("keys import - --dry-run"), 0) << c.err;
  EXPECT_EQ(c.node.calls()[0].body, "AIza1");
  EXPECT_EQ(c.out, "1 key would be added, 0 already there, 0 repeated, 0 refused\n");
  EXPECT_EQ(c("keys import"), 2);
  c.input = "";
  EXPECT_EQ(c("keys import -"), 2);
  EXPECT_EQ(c("keys import /nowhere/at/all"), 2);
  EXPECT_NE(c.err.find("/nowhere/at/all: No such file"), std::string::npos);
}

TEST(cli_keys, edit_sends_only_what_was_given) {
  commanded c;
  const auto path = std::string{"/admin/v1/keys/"} + id;
  c.node.answer("PATCH " + path, 200, key_json(id));
  EXPECT_EQ(c.run({"keys", "edit", id, "--weight", "3", "--tier", "-1", "--note", "", "--enabled",
                   "yes", "--if-match", "3"}),
            0)
      << c.err;
  EXPECT_EQ(c.node.lines(), texts{"PATCH " + path});
  EXPECT_EQ(c.node.calls()[0].body, R"({"enabled":true,"weight":3,"tier":-1,"note":null})");
  EXPECT_EQ(c.node.calls()[0].if_match, "\"3\"");
  EXPECT_EQ(c.run({"keys", "edit", id}), 2) << "nothing to change";
}

TEST(cli_keys, edit_keeps_the_limits_that_it_does_not_name) {
  commanded c;
  const auto path = std::string{"/admin/v1/keys/"} + id;
  c.node.answer("GET " + path, 200, key_json(id));
  c.node.answer("PATCH " + path, 200, key_json(id));
  EXPECT_EQ(c.run({"keys", "edit", id, "--limit", "tpm=500"}), 0) << c.err;
  EXPECT_EQ(c.node.lines(), (texts{"GET " + path, "PATCH " + path}));
  EXPECT_EQ(c.node.calls()[1].body,
            R"({"limits":{"rpm":10,"tpm":500,"models":{"gemini-2.5-pro":{"rpm":5}}}})");
  EXPECT_EQ(c.node.calls()[1].if_match, "\"3\"") << "made to what was read, or not at all";
  EXPECT_EQ(c.run({"keys", "edit", id, "--limit", "none", "--limit", "rpd=9"}), 0);
  EXPECT_EQ(c.node.calls()[2].body, R"({"limits":{"rpd":9}})");
  EXPECT_EQ(c.node.calls()[2].if_match, "");
}

TEST(cli_keys, somebody_who_was_faster_is_told_by_exit_code_7) {
  commanded c;
  const auto path = std::string{"/admin/v1/keys/"} + id;
  c.node.answer("PATCH " + path, 412,
                R"({"error":{"code":"revision_mismatch","message":"it was changed meanwhile",)"
                R"("revision":8,"request_id":"r1"}})");
  EXPECT_EQ(c.run({"keys", "edit", id, "--tier", "1", "--if-match", "3"}), 7);
  EXPECT_EQ(c.err, "error: it was changed meanwhile\n  the present revision is 8\n");
  EXPECT_EQ(c.out, "");
}

TEST(cli_keys, one_key_is_changed_by_its_own_path) {
  commanded c;
  const auto path = std::string{"/admin/v1/keys/"} + id;
  for (const auto* action : {"enable", "disable", "pause", "reset"})
    c.node.answer("POST " + path + ':' + action, 200, key_json(id));
  for (const auto* words : {"enable", "disable", "reset"}) {
    EXPECT_EQ(c.run({"keys", words, id}), 0) << c.err;
    EXPECT_EQ(c.node.calls().back().line, "POST " + path + ':' + words);
    EXPECT_EQ(c.node.calls().back().body, "");
    EXPECT_EQ(c.out, "key_00000000000000a1 (main) is ready\n");
  }
  EXPECT_EQ(c.run({"keys", "pause", id, "--for", "10m"}), 0) << c.err;
  EXPECT_EQ(c.node.calls().back().body, R"({"for":"10m"})");
  EXPECT_EQ(c.run({"keys", "pause", id}), 2);
  EXPECT_EQ(c.run({"keys", "pause", id, "--for", "a while"}), 2);
}

TEST(cli_keys, check_tells_how_the_upstream_answered) {
  commanded c;
  const auto line = std::string{"POST /admin/v1/keys/"} + id + ":check";
  c.node.answer(line, 200,
                R"({"check":{"ok":true,"class":"ok","status":200,"message":null,"latency_ms":120},)"
                R"("key":)"
                    + key_json(id) + '}');
  c.node.answer(line, 200,
                R"({"check":{"ok":false,"class":"key_invalid","status":400,)"
                R"("message":"API key not valid","latency_ms":1080},"key":)"
                    + key_json(id, R"("state":"disabled","reason":"invalid")") + '}');
  EXPECT_EQ(c.run({"keys", "check", id}), 0) << c.err;
  EXPECT_EQ(c.out, "ok, status 200, 120 ms\nkey_00000000000000a1 (main) is ready\n");
  EXPECT_EQ(c.run({"keys", "check", id}), 1);
  EXPECT_EQ(c.out, "key_invalid, status 400, 1,080 ms: API key not valid\n"
                   "key_00000000000000a1 (main) is disabled, invalid\n");
}

TEST(cli_keys, delete_asks_first) {
  commanded c;
  const auto line = std::string{"DELETE /admin/v1/keys/"} + id;
  c.node.answer(line, 204, "");
  EXPECT_EQ(c.run({"keys", "delete", id}), 2) << "nobody can be asked";
  EXPECT_EQ(c.node.calls().size(), 0U);
  c.terminal = {true, false, true, 0};
  c.typed = {"no"};
  EXPECT_EQ(c.run({"keys", "delete", id}), 1);
  EXPECT_EQ(c.run({"keys", "delete", id}), 1) << "the terminal ended";
  EXPECT_EQ(c.node.calls().size(), 0U);
  c.typed = {"yes"};
  EXPECT_EQ(c.run({"keys", "delete", id}), 0) << c.err;
  EXPECT_EQ(c.node.lines(), texts{line});
  c.terminal = {};
  EXPECT_EQ(c.run({"keys", "delete", id, "--yes", "--if-match", "*"}), 0) << c.err;
  EXPECT_EQ(c.node.calls()[1].if_match, "*");
  EXPECT_EQ(c.err, "key_00000000000000a1 is deleted\n");
}

TEST(cli_keys, many_are_changed_by_a_filter) {
  commanded c;
  c.node.answer("POST /admin/v1/keys:bulk", 202,
                job_json("done", 25, 25,
                         R"({"matched":25,"changed":24,"failed":1,"failures":[{"id":"key_1",)"
                         R"("reason":"fixed"}]})"));
  EXPECT_EQ(c("keys enable --filter state=disabled,reason=invalid"), 1) << "one failed";
  EXPECT_EQ(c.node.calls()[0].body,
            R"({"action":"enable","filter":{"state":["disabled"],"reason":["invalid"]}})");
  EXPECT_EQ(c.out, "25 keys matched, 24 enabled, 1 failed\n"
                   "ID     FAILED BECAUSE\n"
                   "key_1  fixed\n");
  c("keys pause key_00000000000000a1 key_00000000000000a2 --for 1h");
  EXPECT_EQ(
      c.node.calls()[1].body,
      R"({"action":"pause","filter":{"ids":["key_00000000000000a1","key_00000000000000a2"]},"for":"1h"})");
  c("keys edit --filter tag=old --tag new");
  EXPECT_EQ(c.node.calls()[2].body,
            R"({"action":"edit","filter":{"tag":"old"},"fields":{"tags":["new"]}})");
}

TEST(cli_keys, every_key_is_changed_only_after_it_was_typed) {
  commanded c;
  c.node.answer("GET /admin/v1/keys?limit=1", 200,
                R"({"keys":[],"next":null,"total":1234,"matched":1234})");
  c.node.answer("POST /admin/v1/keys:bulk", 202,
                job_json("done", 1, 1, R"({"matched":1,"changed":1,"failed":0})"));
  EXPECT_EQ(c("keys disable --all"), 2) << "nobody can be asked";
  EXPECT_EQ(c.node.calls().size(), 0U);
  c.terminal = {true, false, true, 0};
  c.typed = {"yes"};
  EXPECT_EQ(c("keys disable --all"), 1);
  EXPECT_NE(c.err.find("disable 1,234 keys, all that there are. Type disable to go on: "),
            std::string::npos);
  EXPECT_EQ(c.node.lines(), texts{"GET /admin/v1/keys?limit=1"});
  c.typed = {"disable"};
  EXPECT_EQ(c("keys disable --all"), 0) << c.err;
  EXPECT_EQ(c.node.calls().back().body, R"({"action":"disable","filter":{},"all":true})");
  c.terminal = {};
  EXPECT_EQ(c("keys check --all --yes"), 0) << c.err;
  EXPECT_EQ(c.node.calls().back().body, R"({"action":"check","filter":{},"all":true})");
}

TEST(cli_keys, which_keys_are_meant_must_be_said_in_one_way) {
  commanded c;
  for (const auto* words :
       {"keys enable", "keys enable key_1 --all --yes", "keys enable key_1 --filter state=ready",
        "keys enable --filter state", "keys enable --filter colour=red",
        "keys enable key_00000000000000a1 key_00000000000000a2 --if-match 3",
        "keys edit key_00000000000000a1 key_00000000000000a2 --limit rpm=3"})
    EXPECT_EQ(c(words), 2) << words;
  EXPECT_EQ(c.node.calls().size(), 0U);
}

} // namespace
} // namespace troupe
