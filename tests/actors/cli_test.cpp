#include "actors/cli/cli.hpp"
#include "actors/version.hpp"
#include "protocol/config/options.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace troupe {
namespace {

/// One run of the command line over files and variables that the test makes up.
struct run {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> environment;
  int serve_gives = 0;

  int code = -1;
  std::string out, err;
  int served = 0;
  settings seen;
  std::vector<std::string> warnings;

  void operator()(const std::vector<std::string>& arguments) {
    std::ostringstream o, e;
    const auto read = [&](const std::string& path) -> result<std::string> {
      const auto found = files.find(path);
      if (found == files.end())
        return failure{errc::not_found, path + ": No such file or directory"};
      return found->second;
    };
    served = 0;
    code = run_cli(arguments, {environment, read, o, e},
                   [&](const config_sources&, const loaded_settings& loaded) {
                     ++served;
                     seen = loaded.values;
                     warnings = loaded.warnings;
                     return serve_gives;
                   });
    out = o.str();
    err = e.str();
  }

  bool says(std::string_view text) const { return (out + err).find(text) != std::string::npos; }
};

TEST(cli, serve_starts_with_what_file_environment_and_flags_say) {
  run r;
  r.files["f.json"] = R"({"listen": "127.0.0.1:1", "loops": 3, "data_dir": "a"})";
  r.environment = {{"TROUPE_LOOPS", "4"}, {"GEMINI_API_KEY", "k"}};
  r.serve_gives = 3;
  r({"serve", "--config", "f.json", "--listen", "127.0.0.1:2", "--data-dir=b"});
  EXPECT_EQ(r.code, 3);
  ASSERT_EQ(r.served, 1);
  EXPECT_EQ(r.seen.listen.port, 2);
  EXPECT_EQ(r.seen.loops, 4U);
  EXPECT_EQ(r.seen.data_dir, "b");
  EXPECT_EQ(r.seen.upstreams[0].keys.size(), 1U);
}

TEST(cli, files_may_be_named_by_variables) {
  run r;
  r.files["f.json"] = R"({"loops": 3})";
  r.files[".env"] = "API_KEYS=[\"k\"]\n";
  r.environment = {{"TROUPE_CONFIG", "f.json"}, {"TROUPE_ENV_FILE", ".env"}};
  r({"serve"});
  ASSERT_EQ(r.served, 1);
  EXPECT_EQ(r.seen.loops, 3U);
  EXPECT_EQ(r.seen.upstreams[0].keys.size(), 1U);
}

TEST(cli, an_env_file_of_the_product_it_replaces_starts_it) {
  run r;
  r.files[".env"] = "API_KEYS=[\"k\"]\nAUTH_TOKEN=sk-admin-token\nMYSQL_HOST=db\n";
  r({"serve", "--env-file", ".env"});
  ASSERT_EQ(r.served, 1);
  EXPECT_EQ(r.seen.credentials.admins.size(), 1U);
  ASSERT_EQ(r.warnings.size(), 1U);
  EXPECT_EQ(r.warnings[0], "without meaning here: MYSQL_HOST (no SQL database)");
}

TEST(cli, serve_starts_nothing_when_there_are_problems) {
  run r;
  r.files["f.json"] = "{\n\"loops\": -1,\n\"lisen\": 1}";
  r.environment = {{"GEMINI_API_KEY", "k"}};
  r({"serve", "--config", "f.json"});
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.served, 0);
  EXPECT_EQ(r.err, "f.json:2: loops: must be a whole number from 0 to 256\n"
                   "f.json:3: \"lisen\" is not an option; did you mean \"listen\"?\n"
                   "2 problems in the configuration\n");
}

TEST(cli, check_tells_what_is_configured_and_starts_nothing) {
  run r;
  r.files["f.json"] = R"({"upstreams": [{"name": "g", "keys": ["AIzaOne", "AIzaTwo"]}],
    "credentials": {"clients": [{"name": "a", "secret": "long-enough"}]}})";
  r({"check", "--config", "f.json"});
  EXPECT_EQ(r.code, 0);
  EXPECT_EQ(r.served, 0);
  EXPECT_EQ(r.out,
            "configuration is valid\n"
            "  clients on 127.0.0.1:8080, admin on 127.0.0.1:8081\n"
            "  upstream g: 2 keys for https://generativelanguage.googleapis.com\n"
            "  1 client credential, 0 admin credentials (the first start makes what is missing)\n"
            "  data in data\n");
  EXPECT_EQ(r.err, "");
}

TEST(cli, a_zone_that_this_machine_does_not_know_is_a_problem_of_its_line) {
  for (const auto* command : {"check", "serve"}) {
    run r;
    r.files["f.json"] = "{\n  \"pool\": {\"day_zone\": \"Mars/Olympus_Mons\"}}";
    r({command, "--config", "f.json"});
    EXPECT_EQ(r.code, 1);
    EXPECT_EQ(r.served, 0);
    EXPECT_TRUE(r.says("f.json:2: pool.day_zone: time zone Mars/Olympus_Mons is not in")) << r.err;
  }
}

TEST(cli, check_ends_with_1_when_there_are_problems) {
  run r;
  r({"check", "--scheduler", "aiso"});
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.out, "");
  EXPECT_TRUE(
      r.says("--scheduler: scheduler: must be one of asio, sharing; did you mean \"asio\"?"));
  r({"check", "--config", "missing.json"});
  EXPECT_EQ(r.code, 1);
  EXPECT_TRUE(r.says("missing.json: No such file or directory"));
}

TEST(cli, check_shows_every_option_with_its_origin_and_no_secret) {
  run r;
  r.files["f.json"] =
      R"({"upstreams": [{"name": "g", "keys": ["AIzaSECRET"], "headers": {"a": "SECRET"}}],
    "credentials": {"clients": [{"name": "a", "secret": "SECRETSECRET"}]}})";
  r.environment = {{"TROUPE_LOOPS", "2"}};
  r({"check", "--show", "--config", "f.json"});
  EXPECT_EQ(r.code, 0);
  EXPECT_TRUE(r.says("loops = 2  (TROUPE_LOOPS)\n"));
  EXPECT_TRUE(r.says("upstreams[0].keys = [\"***\"]  (f.json:1)\n"));
  EXPECT_TRUE(r.says("credentials.clients[0].secret = \"***\"  (f.json:2)\n"));
  EXPECT_TRUE(r.says("drain_timeout = \"30s\"  (default)\n"));
  EXPECT_FALSE(r.says("SECRET"));
}

TEST(cli, the_version_is_the_projects) {
  std::ifstream in{TROUPE_SOURCE_DIR "/CMakeLists.txt"};
  std::stringstream project;
  project << in.rdbuf();
  EXPECT_NE(project.str().find("VERSION " + std::string{version}), std::string::npos);
  for (const auto* word : {"version", "--version"}) {
    run r;
    r({word});
    EXPECT_EQ(r.code, 0);
    EXPECT_EQ(r.out, "troupe " + std::string{version} + '\n');
  }
}

TEST(cli, help_explains_every_option_that_has_a_flag) {
  run r;
  r({"serve", "--help"});
  EXPECT_EQ(r.code, 0);
  for (const auto* flag : {"--config", "--env-file", "--listen", "--admin-listen", "--data-dir",
                           "--server-body-bytes-max", "--log-levels-pool"})
    EXPECT_TRUE(r.says(flag)) << flag;
  for (const auto* word : {"TROUPE_LISTEN", "default \"127.0.0.1:8080\"", "from 1KiB to 2GiB"})
    EXPECT_TRUE(r.says(word)) << word;
  EXPECT_EQ(r.served, 0);
}

TEST(cli, secrets_have_no_flags) {
  run r;
  r({"serve", "--help"});
  for (const auto* flag : {"--upstreams", "--credentials", "--keys", "--headers"})
    EXPECT_FALSE(r.says(flag)) << flag;
}

TEST(cli, a_wrong_command_line_ends_with_2) {
  const std::vector<std::vector<std::string>> wrong{{},
                                                    {"serv"},
                                                    {"serve", "--lisen", "x"},
                                                    {"serve", "--listen"},
                                                    {"serve", "extra"},
                                                    {"--listen", "x"}};
  for (const auto& arguments : wrong) {
    run r;
    r(arguments);
    EXPECT_EQ(r.code, 2) << (arguments.empty() ? "" : arguments.back());
    EXPECT_EQ(r.served, 0);
    EXPECT_NE(r.err, "");
  }
}

TEST(cli, files_are_read_whole_and_named_when_they_cannot_be) {
  const temporary_directory dir;
  const auto path = dir.path() + "/f";
  std::ofstream{path} << std::string(100'000, 'x') << std::string(1, '\0') << 'y';
  const auto text = read_config_file(path);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->size(), 100'002U);
  const auto missing = read_config_file(dir.path() + "/missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, errc::not_found);
  EXPECT_NE(missing.error().text.find("/missing: No such file"), std::string::npos);
  const auto directory = read_config_file(dir.path());
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().code, errc::invalid_argument);
  std::filesystem::resize_file(path, 17 * 1024 * 1024);
  EXPECT_FALSE(read_config_file(path));
}

} // namespace
} // namespace troupe
