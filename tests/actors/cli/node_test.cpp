#include "storage/store.hpp"
#include "tests/actors/cli/scripted_node.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace troupe {
namespace {

using texts = std::vector<std::string>;

constexpr const char* me = R"({"name":"ops","role":"operator","from":"x"})";

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(cli_node, a_node_of_this_machine_is_found_by_its_data_directory) {
  commanded c;
  c.environment.clear();
  const auto data = c.files.path() + "/data";
  std::filesystem::create_directory(data);
  c.node.listen_at(data + "/admin.sock");
  c.node.answer("GET /admin/v1/whoami", 200, me);
  EXPECT_EQ(c.run({"whoami", "--data-dir", data}), 0) << c.err;
  EXPECT_EQ(c.node.calls()[0].authorization, "") << "the socket needs no credential";
  c.environment = {{"TROUPE_DATA_DIR", data}};
  EXPECT_EQ(c("whoami"), 0) << c.err;
  c.environment.clear();
  const auto config = c.file("t.json", R"({"data_dir": ")" + data + R"(", "loops": "wrong"})");
  EXPECT_EQ(c.run({"whoami", "--config", config}), 0)
      << "what is wrong elsewhere does not matter: " << c.err;
  c.environment = {{"TROUPE_CONFIG", config}};
  EXPECT_EQ(c("whoami"), 0) << c.err;
  EXPECT_EQ(c.node.calls().size(), 4U);
}

TEST(cli_node, a_flag_that_names_a_local_node_wins_over_the_environment) {
  commanded c;
  EXPECT_EQ(c.run({"whoami", "--data-dir", c.files.path()}), 4);
  EXPECT_EQ(c.node.calls().size(), 0U);
}

TEST(cli_node, nobody_there_says_what_was_tried_and_how_to_name_another) {
  commanded c;
  c.environment = {{"TROUPE_DATA_DIR", c.files.path() + "/none"}};
  EXPECT_EQ(c("keys list"), 4);
  EXPECT_EQ(c.err,
            "error: no node answers at " + c.files.path()
                + "/none/admin.sock; name another by --data-dir, --config, or --admin URL\n");
  EXPECT_EQ(c("keys list --json"), 4);
  EXPECT_TRUE(holds(c.err, R"({"error":{"code":"unreachable","message":"no node answers at )"));
  EXPECT_EQ(c.out, "");
}

TEST(cli_node, a_remote_node_that_does_not_answer_is_named) {
  commanded c;
  c.environment["TROUPE_ADMIN_URL"] = "http://127.0.0.1:1";
  EXPECT_EQ(c("keys list"), 4);
  EXPECT_TRUE(holds(c.err, "no node answers at http://127.0.0.1:1: ")) << c.err;
}

TEST(cli_node, an_admin_url_may_have_a_path) {
  commanded c;
  c.node.answer("GET /troupe/admin/v1/whoami", 200, me);
  EXPECT_EQ(c("whoami --admin http://127.0.0.1:" + std::to_string(c.node.port()) + "/troupe/"), 0)
      << c.err;
}

TEST(cli_node, an_admin_url_needs_a_credential) {
  commanded c;
  c.environment.erase("TROUPE_ADMIN_CREDENTIAL");
  EXPECT_EQ(c("whoami"), 2);
  EXPECT_TRUE(holds(c.err, "--credential-file"));
  c.environment["TROUPE_ADMIN_CREDENTIAL"] = "sk-1234\r\nx-evil: 1";
  EXPECT_EQ(c("whoami"), 2);
  EXPECT_FALSE(holds(c.err, "sk-1234"));
  EXPECT_EQ(c.node.calls().size(), 0U);
}

TEST(cli_node, a_credential_file_that_others_may_read_is_refused) {
  commanded c;
  c.node.answer("GET /admin/v1/whoami", 200, me);
  const auto path = c.file("credential", "sk-from-file-0123\n");
  for (const auto mode : {0640U, 0604U, 0644U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    EXPECT_EQ(c.run({"whoami", "--credential-file", path}), 2);
    EXPECT_TRUE(holds(c.err, path + ": others may read it"));
    EXPECT_TRUE(holds(c.err, "chmod 600"));
  }
  EXPECT_EQ(c.node.calls().size(), 0U);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_EQ(c.run({"whoami", "--credential-file", path}), 0) << c.err;
  EXPECT_EQ(c.node.calls()[0].authorization, "Bearer sk-from-file-0123");
}

TEST(cli_node, flags_that_contradict_each_other_are_refused) {
  commanded c;
  EXPECT_EQ(c("whoami --admin http://127.0.0.1:1 --data-dir d"), 2);
  EXPECT_EQ(c("whoami --admin ftp://127.0.0.1"), 2);
  EXPECT_EQ(c("whoami --timeout soon"), 2);
  EXPECT_EQ(c("whoami --timeout 0"), 2);
  EXPECT_EQ(c.node.calls().size(), 0U);
}

TEST(cli_node, every_kind_of_refusal_has_its_exit_code) {
  const auto error = [](const std::string& word) {
    return R"({"error":{"code":")" + word + R"(","message":"it says why","request_id":"req-9"}})";
  };
  const std::vector<std::tuple<int, std::string, int>> all{
      {400, "invalid_request", 1},   {401, "unauthorized", 5},      {403, "forbidden", 5},
      {404, "not_found", 6},         {409, "already_exists", 1},    {409, "busy", 1},
      {412, "revision_mismatch", 7}, {429, "too_many_failures", 1}, {500, "storage_failed", 1},
      {503, "unavailable", 1},       {507, "storage_full", 1}};
  for (const auto& [status, word, code] : all) {
    commanded c;
    c.node.answer("GET /admin/v1/whoami", status, error(word));
    EXPECT_EQ(c("whoami"), code) << status;
    EXPECT_EQ(c.out, "");
    EXPECT_EQ(c.err, std::string{"error: it says why\n"}
                         + (status >= 500 ? "  in the node's log: req-9\n" : ""));
    EXPECT_EQ(c("whoami --json"), code);
    EXPECT_EQ(c.err, error(word) + '\n');
  }
}

TEST(cli_node, a_node_that_lets_us_wait_says_for_how_long) {
  commanded c;
  c.node.answer("GET /admin/v1/whoami", 429,
                R"({"error":{"code":"too_many_failures","message":"wait","request_id":"r"}})",
                "retry-after: 4\r\n");
  EXPECT_EQ(c("whoami"), 1);
  EXPECT_EQ(c.err, "error: wait\n  try again in 4 s\n");
}

TEST(cli_node, what_is_no_node_is_told_so) {
  for (const auto& [status, body] : std::vector<std::pair<int, std::string>>{
           {200, "<html>"}, {200, "[]"}, {200, "{\"a\":"}, {502, "<html>"}, {404, "{}"}}) {
    commanded c;
    c.node.answer("GET /admin/v1/whoami", status, body);
    EXPECT_EQ(c("whoami"), status == 404 ? 6 : 1) << body;
    EXPECT_EQ(c.out, "");
    EXPECT_TRUE(holds(c.err, "node says")) << c.err;
  }
}

TEST(cli_node, json_is_printed_as_it_came) {
  commanded c;
  c.node.answer("GET /admin/v1/whoami", 200, R"({ "name":"\u4e3b", "x":1.50 })");
  EXPECT_EQ(c("whoami --json"), 0) << c.err;
  EXPECT_EQ(c.out, "{ \"name\":\"\\u4e3b\", \"x\":1.50 }\n");
  c.terminal.out = true;
  EXPECT_EQ(c("whoami --json"), 0) << c.err;
  EXPECT_EQ(c.out, "{\n  \"name\": \"\\u4e3b\",\n  \"x\": 1.50\n}\n");
}

TEST(cli_node, settings_are_shown_without_a_node_too) {
  commanded c;
  const auto data = c.files.path() + "/none";
  c.environment = {{"TROUPE_DATA_DIR", data}, {"TROUPE_LOOPS", "3"}};
  EXPECT_EQ(c("config show --origin loo"), 0) << c.err;
  EXPECT_EQ(c.out, "loops = 3  (TROUPE_LOOPS)\n");
  EXPECT_EQ(c.err, "no node answers at " + data
                       + "/admin.sock: this is what file, environment and defaults say, without "
                         "what was changed at run time\n");
  EXPECT_EQ(c("config show loops --json"), 0) << c.err;
  EXPECT_EQ(c.out, R"({"running":false,"options":[{"path":"loops","value":3,)"
                   R"("origin":"TROUPE_LOOPS"}]})"
                   "\n");
  c.environment["TROUPE_LOOPS"] = "many";
  EXPECT_EQ(c("config show"), 1);
  c.environment = {{"TROUPE_ADMIN_URL", "http://127.0.0.1:1"}, {"TROUPE_ADMIN_CREDENTIAL", "sk-x"}};
  EXPECT_EQ(c("config show"), 4) << "of another machine nothing is known";
}

TEST(cli_node, a_backup_is_restored_without_a_node_after_it_was_typed) {
  commanded c;
  const auto data = c.files.path() + "/data", copy = c.files.path() + "/copy";
  {
    auto store = storage::store::open({data});
    ASSERT_TRUE(store) << store.error().text;
    ASSERT_TRUE((*store)->put(storage::column::keys, "k", "old", storage::durability::power));
    ASSERT_TRUE((*store)->backup(copy));
    ASSERT_TRUE((*store)->put(storage::column::keys, "k", "new", storage::durability::power));
  }
  c.environment = {{"TROUPE_DATA_DIR", data}};
  EXPECT_EQ(c("restore copy"), 2) << "nobody can be asked";
  c.terminal = {true, false, true, 0};
  c.typed = {"yes"};
  EXPECT_EQ(c("restore copy"), 1);
  EXPECT_EQ(c("restore copy --yes"), 0) << c.err;
  const auto store = storage::store::open({data});
  ASSERT_TRUE(store) << store.error().text;
  const auto value = (*store)->get(storage::column::keys, "k");
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, "old");
  EXPECT_EQ(c("restore copy --yes"), 1) << "somebody has the directory";
  EXPECT_TRUE(holds(c.err, "error: "));
  EXPECT_EQ(c("restore nothing-there --yes"), 6);
}

TEST(cli_node, help_tells_the_exit_codes_and_how_to_name_a_node) {
  commanded c;
  for (const auto* words : {"--help", "keys --help", "backup --help"}) {
    EXPECT_EQ(c(words), 0);
    EXPECT_TRUE(holds(c.out, "Exit codes: 0 done; 1 refused")) << words;
  }
  EXPECT_EQ(c("keys edit --help"), 0);
  for (const auto* flag : {"--admin", "--credential-file", "--data-dir", "--json", "--limit",
                           "--filter", "TROUPE_ADMIN_URL"})
    EXPECT_TRUE(holds(c.out, flag)) << flag;
  for (const auto* words : {"keys", "keys nonsense", "credentials", "config", "secrets",
                            "keys list --nonsense", "backup", "restore", "backup a b"})
    EXPECT_EQ(c(words), 2) << words;
}

TEST(cli_node, no_flag_takes_a_secret) {
  commanded c;
  for (const auto* words : {"keys add --help", "credentials add --help", "whoami --help"}) {
    c(words);
    for (const auto* flag : {"--secret ", "--credential ", "--key ", "--password"})
      EXPECT_FALSE(holds(c.out, flag)) << words << ' ' << flag;
  }
}

} // namespace
} // namespace troupe
