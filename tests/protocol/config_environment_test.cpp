#include "protocol/config/environment.hpp"
#include "protocol/config/load.hpp"
#include "protocol/config/names.hpp"
#include "protocol/config/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using variables = std::map<std::string, std::string>;
using lines = std::vector<std::string>;

loaded_settings load(variables environment, std::string file = "{}") {
  config_sources sources;
  sources.file = config_text{"troupe.json", std::move(file)};
  sources.environment = std::move(environment);
  return load_settings(sources);
}

lines said(const loaded_settings& loaded) {
  lines out;
  for (const auto& p : loaded.problems)
    out.push_back(to_string(p));
  return out;
}

bool warns(const loaded_settings& loaded, std::string_view text) {
  return std::any_of(loaded.warnings.begin(), loaded.warnings.end(),
                     [&](const std::string& w) { return w.find(text) != std::string::npos; });
}

lines keys_of(const loaded_settings& loaded, std::size_t upstream = 0) {
  lines out;
  for (const auto& key : loaded.values.upstreams.at(upstream).keys)
    out.emplace_back(key.reveal());
  return out;
}

lines secrets_of(const std::vector<credential_settings>& list) {
  lines out;
  for (const auto& c : list)
    out.emplace_back(c.value.reveal());
  return out;
}

TEST(config_environment, every_option_outside_a_list_has_a_variable) {
  for (const auto& o : config::options()) {
    const auto name = config::environment_name(o);
    EXPECT_EQ(name.empty(), o.path.find("[]") != std::string_view::npos) << o.path;
    if (name.empty() || o.type == config::option_type::objects || o.fallback == "null")
      continue;
    // The default, said by the variable, changes nothing but the origin.
    auto text = std::string{o.fallback};
    if (text.starts_with('"'))
      text = text.substr(1, text.size() - 2);
    if (text.empty())
      continue;
    const auto loaded = load({{name, text}});
    EXPECT_EQ(said(loaded), lines{}) << name;
    EXPECT_EQ(to_string(loaded.origin_of(o.path)), name);
    EXPECT_EQ(config::show(o, loaded.values), config::show(o, settings{})) << name;
  }
}

TEST(config_environment, is_stronger_than_the_file) {
  const auto loaded = load({{"TROUPE_LISTEN", "127.0.0.1:1"},
                            {"TROUPE_SERVER_BODY_BYTES_MAX", "1MiB"},
                            {"TROUPE_UPSTREAMS", R"([{"name":"x","keys":["k"]}])"},
                            {"TROUPE_CORS_ORIGINS", "https://a.example, https://b.example"}},
                           R"({"listen": "127.0.0.1:2", "server": {"body_bytes_max": "2MiB"}})");
  ASSERT_EQ(said(loaded), lines{});
  EXPECT_EQ(loaded.values.listen.port, 1);
  EXPECT_EQ(loaded.values.server.body_bytes_max, 1'048'576U);
  EXPECT_EQ(loaded.values.upstreams.at(0).name, "x");
  EXPECT_EQ(loaded.values.cors.origins, (lines{"https://a.example", "https://b.example"}));
}

TEST(config_environment, errors_name_the_variable) {
  EXPECT_EQ(
      said(load(
          {{"TROUPE_LOOPS", "many"}, {"TROUPE_LOG_FORMAT", "jsn"}, {"TROUPE_UPSTREAMS", "[{"}})),
      (lines{"TROUPE_UPSTREAMS: upstreams: is JSON that cannot be read: the object of line 1 has "
             "no end",
             "TROUPE_LOOPS: loops: must be a whole number from 0 to 256; this is a text",
             "TROUPE_LOG_FORMAT: log.format: must be one of text, json; did you mean \"json\"?"}));
}

TEST(config_environment, an_empty_variable_is_not_set) {
  const auto loaded = load({{"TROUPE_LISTEN", ""}, {"AUTH_TOKEN", " "}, {"MAX_RETRIES", ""}});
  EXPECT_EQ(said(loaded), lines{});
  EXPECT_TRUE(loaded.origins.empty());
}

TEST(config_environment, an_unknown_name_of_ours_is_told_with_the_nearest) {
  const auto loaded = load({{"TROUPE_LISTN", "x"},
                            {"TROUPE_CONFIG", "f"},
                            {"TROUPE_SERVICE_HOST", "10.0.0.1"},
                            {"TROUPE_PORT_8080_TCP", "tcp"}});
  EXPECT_EQ(said(loaded), lines{});
  EXPECT_TRUE(warns(loaded, "\"TROUPE_LISTN\" sets no option; did you mean TROUPE_LISTEN?"));
  EXPECT_EQ(loaded.warnings.size(), 1U);
}

TEST(config_environment, variables_of_the_process_win_over_the_env_file) {
  config_sources sources;
  sources.env_file = config_text{".env", "API_KEYS=[\"from-file\"]\nMAX_FAILURES=7\n"};
  sources.environment = {{"API_KEYS", "from-process"}};
  const auto loaded = load_settings(sources);
  EXPECT_EQ(keys_of(loaded), lines{"from-process"});
  EXPECT_EQ(loaded.values.pool.strikes_max, 7U);
}

TEST(config_environment, errors_of_an_env_file_name_its_line) {
  config_sources sources;
  sources.env_file = config_text{".env", "# x\nMAX_FAILURES=often\nwhat is this\n"};
  EXPECT_EQ(
      said(load_settings(sources)),
      (lines{".env:3: NAME=value is expected here; a value over several lines needs quotes",
             ".env:2: pool.strikes_max (MAX_FAILURES): must be a whole number from 1 to 1000; "
             "this is a text"}));
}

TEST(config_environment, entries_of_an_env_file_that_nobody_knows_are_named) {
  config_sources sources;
  sources.env_file = config_text{".env", "FOO=1\nAPI_KEY=x\nGEMINI_API_KEY=k\n"};
  sources.environment = {{"HOME", "/root"}};
  EXPECT_EQ(load_settings(sources).warnings,
            lines{"not known here and left alone: \"API_KEY\", \"FOO\""});
}

TEST(config_environment, keys_come_as_json_or_with_commas_or_blanks) {
  EXPECT_EQ(keys_of(load({{"GEMINI_API_KEYS", R"(["a","b"])"}})), (lines{"a", "b"}));
  EXPECT_EQ(keys_of(load({{"GEMINI_API_KEYS", "a, b,,c"}})), (lines{"a", "b", "c"}));
  EXPECT_EQ(keys_of(load({{"GEMINI_API_KEYS", "a\nb\n"}})), (lines{"a", "b"}));
  EXPECT_EQ(keys_of(load({{"GEMINI_API_KEY", "a"}})), lines{"a"});
  EXPECT_EQ(keys_of(load({{"GOOGLE_API_KEY", "a"}})), lines{"a"});
  EXPECT_EQ(
      said(load({{"GEMINI_API_KEYS", R"(['a'])"}})),
      lines{"GEMINI_API_KEYS: is JSON that cannot be read: a value is expected here: a text in "
            "double quotes, a number, true, false, null, [ or {"});
}

TEST(config_environment, one_variable_gives_the_keys_and_the_others_are_named) {
  const auto loaded = load({{"GOOGLE_API_KEY", "private"}, {"API_KEYS", "a"}},
                           R"({"upstreams": [{"name": "g", "keys": ["f"]}]})");
  EXPECT_EQ(keys_of(loaded), lines{"a"});
  EXPECT_TRUE(warns(loaded, "GOOGLE_API_KEY not used, because API_KEYS is set"));
  EXPECT_TRUE(
      warns(loaded, "the keys configured for upstream \"g\" are replaced by those of API_KEYS"));
}

TEST(config_environment, keys_of_each_kind_have_an_upstream_of_that_kind) {
  const auto loaded = load({{"OPENAI_API_KEYS", "sk-one,sk-two"}, {"ANTHROPIC_API_KEYS", "sk-c"}});
  ASSERT_EQ(said(loaded), lines{});
  ASSERT_EQ(loaded.values.upstreams.size(), 3U); // Gemini's keys may be in the database
  EXPECT_EQ(loaded.values.upstreams[1].kind, upstream_kind::openai);
  EXPECT_EQ(loaded.values.upstreams[1].name, "openai");
  EXPECT_EQ(loaded.values.upstreams[1].base_url, "https://api.openai.com");
  EXPECT_EQ(keys_of(loaded, 1), (lines{"sk-one", "sk-two"}));
  EXPECT_EQ(loaded.values.upstreams[2].kind, upstream_kind::anthropic);
  EXPECT_EQ(loaded.values.upstreams[2].base_url, "https://api.anthropic.com");
  EXPECT_EQ(keys_of(loaded, 2), lines{"sk-c"});
}

TEST(config_environment, keys_of_a_kind_extend_the_upstream_that_is_configured) {
  const auto loaded = load({{"OPENAI_API_KEYS", "sk-one"}}, R"({"upstreams": [
      {"name": "mine", "kind": "openai", "base_url": "https://llm.example/api/v1/"}]})");
  ASSERT_EQ(said(loaded), lines{});
  ASSERT_EQ(loaded.values.upstreams.size(), 1U);
  EXPECT_EQ(loaded.values.upstreams[0].base_url, "https://llm.example/api");
  EXPECT_EQ(keys_of(loaded), lines{"sk-one"});
  EXPECT_TRUE(warns(load({{"OPENAI_API_KEYS", "[]"}}), "OPENAI_API_KEYS holds no key"));
}

TEST(config_environment, keys_complete_upstreams_of_the_environment) {
  const auto loaded =
      load({{"TROUPE_UPSTREAMS", R"([{"name":"g","base_url":"http://127.0.0.1:1"}])"},
            {"GEMINI_API_KEYS", "a"},
            {"BASE_URL", "https://elsewhere.example"}});
  EXPECT_EQ(keys_of(loaded), lines{"a"});
  EXPECT_EQ(loaded.values.upstreams[0].base_url, "http://127.0.0.1:1");
}

TEST(config_gemini_balance, its_environment_starts_a_node) {
  const auto loaded = load({
      {"API_KEYS", R"(["AIzaOne","AIzaTwo"])"},
      {"ALLOWED_TOKENS", R"(["sk-first-token","sk-second-token"])"},
      {"AUTH_TOKEN", "sk-admin-token,with-comma"},
      {"BASE_URL", "https://proxy.example/v1beta"},
      {"MAX_FAILURES", "10"},
      {"MAX_RETRIES", "5"},
      {"TIME_OUT", "900"},
      {"SEARCH_MODELS", R"(["gemini-2.5-flash"])"},
      {"IMAGE_MODELS", "gemini-2.0-flash-exp"},
      {"THINKING_MODELS", R"(["gemini-2.5-pro"])"},
      {"FILTERED_MODELS", R"(["gemini-1.0-pro"])"},
      {"SHOW_THINKING_PROCESS", "False"},
      {"SHOW_SEARCH_LINK", "True"},
      {"SAFETY_SETTINGS", R"([{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}])"},
      {"CUSTOM_HEADERS", R"({"X-Team": "blue"})"},
      {"LOG_LEVEL", "WARNING"},
      {"AUTO_DELETE_ERROR_LOGS_DAYS", "7"},
  });
  ASSERT_EQ(said(loaded), lines{});
  const auto& s = loaded.values;
  EXPECT_EQ(keys_of(loaded), (lines{"AIzaOne", "AIzaTwo"}));
  EXPECT_EQ(secrets_of(s.credentials.clients),
            (lines{"sk-admin-token,with-comma", "sk-first-token", "sk-second-token"}));
  EXPECT_EQ(secrets_of(s.credentials.admins), lines{"sk-admin-token,with-comma"});
  EXPECT_EQ(s.upstreams[0].base_url, "https://proxy.example");
  EXPECT_EQ(s.pool.strikes_max, 10U);
  EXPECT_EQ(s.pool.attempts_max, 5U);
  EXPECT_EQ(s.upstreams[0].connect_timeout, 10s);
  EXPECT_EQ(s.upstreams[0].first_byte_timeout, 900s);
  EXPECT_EQ(s.upstreams[0].silence_timeout, 900s);
  EXPECT_EQ(s.upstreams[0].total_timeout, 900s);
  EXPECT_EQ(s.translation.search_models, lines{"gemini-2.5-flash"});
  EXPECT_EQ(s.translation.image_models, lines{"gemini-2.0-flash-exp"});
  EXPECT_EQ(s.translation.non_thinking_models, lines{"gemini-2.5-pro"});
  EXPECT_EQ(s.models.hidden, lines{"gemini-1.0-pro"});
  EXPECT_EQ(s.translation.thoughts, thoughts_policy::never);
  EXPECT_EQ(s.translation.grounding, grounding_output::both);
  EXPECT_EQ(s.translation.safety_settings,
            R"([{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"}])");
  EXPECT_EQ(s.upstreams[0].headers.at("x-team"), secret{"blue"});
  EXPECT_EQ(s.log.level, log_level::warning);
  EXPECT_EQ(s.log.age_max, 7 * 24h);
}

TEST(config_gemini_balance, an_ordinary_token_is_never_an_admin) {
  const auto loaded = load({{"ALLOWED_TOKENS", "sk-first-token"}});
  EXPECT_EQ(secrets_of(loaded.values.credentials.clients), lines{"sk-first-token"});
  EXPECT_TRUE(loaded.values.credentials.admins.empty());
  EXPECT_TRUE(warns(loaded, "no AUTH_TOKEN"));
}

TEST(config_gemini_balance, an_admin_is_also_a_client) {
  const auto loaded = load({{"AUTH_TOKEN", "sk-admin-token"}});
  EXPECT_EQ(secrets_of(loaded.values.credentials.clients), lines{"sk-admin-token"});
  EXPECT_EQ(secrets_of(loaded.values.credentials.admins), lines{"sk-admin-token"});
}

TEST(config_gemini_balance, placeholders_and_empty_lists_open_nothing) {
  for (const auto* tokens :
       {R"(["sk-123456"])", "[]", R"([""])", "sk-123456", R"(["your-token"])"}) {
    const auto loaded = load({{"ALLOWED_TOKENS", tokens}, {"AUTH_TOKEN", "sk-123456"}});
    EXPECT_TRUE(loaded.values.credentials.clients.empty()) << tokens;
    EXPECT_TRUE(loaded.values.credentials.admins.empty()) << tokens;
    EXPECT_TRUE(warns(loaded, "AUTH_TOKEN names no credential, so it opens nothing"));
  }
  const auto loaded =
      load({{"API_KEYS", R"(["AIzaSyxxxxxxxxxxxxxxxxxxx"])"}, {"VERTEX_API_KEYS", "[]"}});
  EXPECT_EQ(keys_of(loaded), lines{});
  EXPECT_EQ(loaded.values.upstreams.size(), 1U);
  EXPECT_TRUE(warns(loaded, "API_KEYS holds no key"));
}

TEST(config_gemini_balance, a_token_that_can_be_guessed_is_refused) {
  EXPECT_EQ(said(load({{"AUTH_TOKEN", "short"}})),
            lines{"AUTH_TOKEN: each must be at least 8 characters long"});
}

TEST(config_gemini_balance, empty_lists_keep_what_the_file_says) {
  const auto loaded = load({{"API_KEYS", "[]"}, {"ALLOWED_TOKENS", "[]"}, {"CUSTOM_HEADERS", "{}"}},
                           R"({"upstreams": [{"name": "g", "keys": ["f"], "headers": {"a": "b"}}],
                               "credentials": {"clients": [{"name": "c", "secret": "long-enough"}]}})");
  EXPECT_EQ(keys_of(loaded), lines{"f"});
  EXPECT_EQ(loaded.values.credentials.clients.size(), 1U);
  EXPECT_EQ(loaded.values.upstreams[0].headers.size(), 1U);
}

TEST(config_gemini_balance, vertex_keys_have_an_upstream_of_their_own) {
  auto loaded = load({{"VERTEX_API_KEYS", R"(["AQ.one"])"},
                      {"API_KEYS", "k"},
                      {"VERTEX_EXPRESS_BASE_URL", "https://v.example/v1beta1/publishers/google"}});
  ASSERT_EQ(loaded.values.upstreams.size(), 2U);
  EXPECT_EQ(loaded.values.upstreams[1].kind, upstream_kind::vertex);
  EXPECT_EQ(loaded.values.upstreams[1].base_url, "https://v.example");
  EXPECT_EQ(keys_of(loaded, 1), lines{"AQ.one"});
  loaded = load({{"VERTEX_API_KEYS", R"(["AQ.one"])"}, {"OPENAI_API_KEYS", "sk-one"}});
  ASSERT_EQ(loaded.values.upstreams.size(), 2U);
  EXPECT_EQ(to_string(loaded.origin_of("upstreams[1].keys")), "OPENAI_API_KEYS");
  loaded = load({{"VERTEX_API_KEYS", R"(["AQ.one"])"}});
  ASSERT_EQ(loaded.values.upstreams.size(), 1U);
  EXPECT_EQ(loaded.values.upstreams[0].name, "vertex");
  EXPECT_EQ(to_string(loaded.origin_of("upstreams[0].keys")), "VERTEX_API_KEYS");
}

TEST(config_gemini_balance, zero_retries_mean_one_attempt) {
  EXPECT_EQ(load({{"MAX_RETRIES", "0"}}).values.pool.attempts_max, 1U);
}

TEST(config_gemini_balance, names_without_a_meaning_are_told_in_one_warning) {
  const auto loaded = load({{"GEMINI_API_KEY", "k"},
                            {"DATABASE_TYPE", "mysql"},
                            {"MYSQL_PASSWORD", "hunter2"},
                            {"PAID_KEY", "AIzaPaid"},
                            {"TIMEZONE", "Asia/Shanghai"},
                            {"STREAM_CHUNK_SIZE", "5"},
                            {"OSS_REGION", ""}});
  EXPECT_EQ(said(loaded), lines{});
  EXPECT_EQ(
      loaded.warnings,
      lines{"without meaning here: DATABASE_TYPE, MYSQL_PASSWORD (no SQL database); PAID_KEY "
            "(kept out of the pool, where ordinary calls would spend it); TIMEZONE (nothing runs "
            "at hours of the clock); STREAM_CHUNK_SIZE (streams are never delayed or faked)"});
  EXPECT_EQ(keys_of(loaded), lines{"k"}); // the paid key is not spent on ordinary calls
}

TEST(config_gemini_balance, proxies_become_the_way_out_and_are_never_left_out_in_silence) {
  const auto loaded = load({{"PROXIES", R"(["http://user:hunter2@proxy.example:3128"])"}});
  EXPECT_EQ(said(loaded), lines{});
  EXPECT_EQ(loaded.warnings, lines{});
  EXPECT_EQ(loaded.values.egress.proxies,
            std::vector{secret{"http://user:hunter2@proxy.example:3128"}});
  EXPECT_EQ(to_string(loaded.origin_of("egress.proxies")), "PROXIES");
  EXPECT_TRUE(load({{"PROXIES", "[]"}}).values.egress.proxies.empty());
  EXPECT_EQ(said(load({{"PROXIES", "hunter2:3128"}})),
            lines{"PROXIES: egress.proxies: element 0 must begin with http://, https://, "
                  "socks5:// or socks5h://"});
}

TEST(config_gemini_balance, a_key_keeps_its_proxy_whatever_is_said) {
  const auto* name = "PROXIES_USE_CONSISTENCY_HASH_BY_API_KEY";
  EXPECT_EQ(load({{name, "true"}}).warnings, lines{});
  EXPECT_TRUE(warns(load({{name, "false"}}), "a key keeps its proxy always"));
}

TEST(config_gemini_balance, its_interval_bounds_the_wait_of_disabled_keys) {
  EXPECT_EQ(load({{"CHECK_INTERVAL_HOURS", "2"}}).values.pool.recheck_max, 2h);
  EXPECT_EQ(load({{"CHECK_INTERVAL_HOURS", "2"}}).values.pool.recheck_min, 5min);
  EXPECT_EQ(load({{"CHECK_INTERVAL_HOURS", "0"}}).values.pool.recheck_min, 0s);
  EXPECT_EQ(said(load({{"CHECK_INTERVAL_HOURS", "often"}})),
            lines{"CHECK_INTERVAL_HOURS: pool.recheck_max: must be a number of hours"});
}

// Section by section of its settings (version 2.2.8).
TEST(config_gemini_balance, every_one_of_its_names_is_known) {
  constexpr std::string_view names =
      "DATABASE_TYPE SQLITE_DATABASE MYSQL_HOST MYSQL_PORT MYSQL_USER MYSQL_PASSWORD "
      "MYSQL_DATABASE "
      "MYSQL_SOCKET API_KEYS VERTEX_API_KEYS PAID_KEY ALLOWED_TOKENS AUTH_TOKEN "
      "ADMIN_SESSION_EXPIRE "
      "BASE_URL VERTEX_EXPRESS_BASE_URL TIME_OUT CUSTOM_HEADERS PROXIES "
      "PROXIES_USE_CONSISTENCY_HASH_BY_API_KEY MAX_FAILURES MAX_RETRIES TEST_MODEL "
      "CHECK_INTERVAL_HOURS "
      "TIMEZONE SEARCH_MODELS IMAGE_MODELS FILTERED_MODELS THINKING_MODELS THINKING_BUDGET_MAP "
      "SHOW_THINKING_PROCESS SHOW_SEARCH_LINK TOOLS_CODE_EXECUTION_ENABLED URL_CONTEXT_ENABLED "
      "URL_CONTEXT_MODELS SAFETY_SETTINGS URL_NORMALIZATION_ENABLED CREATE_IMAGE_MODEL "
      "UPLOAD_PROVIDER "
      "SMMS_SECRET_TOKEN PICGO_API_KEY PICGO_API_URL CLOUDFLARE_IMGBED_URL "
      "CLOUDFLARE_IMGBED_AUTH_CODE "
      "CLOUDFLARE_IMGBED_UPLOAD_FOLDER OSS_ENDPOINT OSS_ENDPOINT_INNER OSS_ACCESS_KEY "
      "OSS_ACCESS_KEY_SECRET OSS_BUCKET_NAME OSS_REGION TTS_MODEL TTS_VOICE_NAME TTS_SPEED "
      "ENABLE_TTS "
      "STREAM_OPTIMIZER_ENABLED STREAM_MIN_DELAY STREAM_MAX_DELAY STREAM_SHORT_TEXT_THRESHOLD "
      "STREAM_LONG_TEXT_THRESHOLD STREAM_CHUNK_SIZE FAKE_STREAM_ENABLED "
      "FAKE_STREAM_EMPTY_DATA_INTERVAL_SECONDS LOG_LEVEL ERROR_LOG_RECORD_REQUEST_BODY "
      "AUTO_DELETE_ERROR_LOGS_ENABLED AUTO_DELETE_ERROR_LOGS_DAYS AUTO_DELETE_REQUEST_LOGS_ENABLED "
      "AUTO_DELETE_REQUEST_LOGS_DAYS FILES_CLEANUP_ENABLED FILES_CLEANUP_INTERVAL_HOURS "
      "FILES_USER_ISOLATION_ENABLED GITHUB_REPO_OWNER GITHUB_REPO_NAME";
  for (const auto name : config::split(names, ' '))
    EXPECT_TRUE(config::is_gemini_balance_name(name)) << name;
  EXPECT_FALSE(config::is_gemini_balance_name("HOME"));
}

} // namespace
} // namespace troupe
