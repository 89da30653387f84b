#include "tests/actors/admin/admin_stage.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

using nlohmann::json;
using fields = admin_stage::fields;

constexpr std::string_view key_path = "/admin/v1/keys/key_00000000000000ff";

std::string code_of(const fake_exchange& x) {
  const auto read = json::parse(x.body, nullptr, false);
  return read.is_object() && read.contains("error") ? read["error"].value("code", "") : "";
}

/// `field code, field code`
std::string details_of(const fake_exchange& x) {
  std::string text;
  for (const auto& d : json::parse(x.body).at("error").value("details", json::array()))
    text += (text.empty() ? "" : ", ") + d.value("field", "") + ' ' + d.value("code", "");
  return text;
}

fields bearer(std::string_view secret) {
  return {{"authorization", "Bearer " + std::string{secret}}, {"host", "node:8081"}};
}

TEST(admin_front, health_and_description_are_for_anybody) {
  admin_stage stage;
  for (const auto* path : {"/healthz", "/health", "/readyz", "/admin/v1/openapi.json"}) {
    const auto x = stage.ask_as("GET", path, {}, {});
    EXPECT_EQ(x->status, 200) << path;
    EXPECT_EQ(schema_fault(*x), "") << path;
  }
}

TEST(admin_front, readiness_tells_why_not_and_what_is_amiss) {
  admin_stage stage;
  stage.warnings = {"the disk is full"};
  auto x = stage.ask_as("GET", "/readyz", {}, {});
  EXPECT_EQ(x->status, 200);
  EXPECT_EQ(x->body, R"({"status":"ready","warnings":["the disk is full"]})");
  EXPECT_EQ(schema_fault(*x), "");
  stage.is_ready = false;
  x = stage.ask_as("GET", "/readyz", {}, {});
  EXPECT_EQ(x->status, 503);
  EXPECT_EQ(json::parse(x->body).at("reason"), "it is stopping");
  EXPECT_EQ(schema_fault(*x), "");
}

TEST(admin_front, strangers_learn_nothing_else_not_even_which_paths_there_are) {
  admin_stage stage;
  for (const auto* path : {"/metrics", "/admin/v1/keys", "/admin/v1/nothing", "/"}) {
    const auto x = stage.ask_as("GET", path, {}, {});
    EXPECT_EQ(x->status, 401) << path;
    EXPECT_EQ(code_of(*x), "unauthorized");
    EXPECT_EQ(x->answered("www-authenticate"), "Bearer realm=\"troupe admin\"");
    EXPECT_EQ(schema_fault(*x), "") << path;
  }
  EXPECT_EQ(stage.ask("GET", "/admin/v1/nothing")->status, 404);
}

TEST(admin_front, any_form_of_the_client_port_shows_a_credential) {
  admin_stage stage;
  EXPECT_EQ(stage.ask_as("GET", "/admin/v1/whoami", {}, {{"x-api-key", "sk-viewer"}})->status, 200);
  EXPECT_EQ(stage.ask_as("GET", "/admin/v1/whoami", {}, {{"x-goog-api-key", "sk-viewer"}})->status,
            200);
  const auto x = stage.ask_as("GET", "/admin/v1/whoami?key=sk-viewer", {}, {});
  EXPECT_EQ(x->status, 200);
  EXPECT_EQ(x->body, R"({"name":"looker","role":"viewer","from":"10.0.0.1"})");
  EXPECT_EQ(schema_fault(*x), "");
}

TEST(admin_front, credentials_of_clients_and_expired_ones_are_refused) {
  admin_stage stage;
  EXPECT_EQ(stage.ask_as("GET", "/admin/v1/whoami", {}, bearer("sk-client"))->status, 401);
  EXPECT_EQ(stage.ask_as("GET", "/admin/v1/whoami", {}, bearer("sk-expired"))->status, 401);
  stage.wall_ms -= 1;
  EXPECT_EQ(stage.ask_as("GET", "/admin/v1/whoami", {}, bearer("sk-expired"))->status, 200);
}

TEST(admin_front, a_change_of_credentials_counts_for_the_next_request) {
  admin_stage stage;
  auto next = std::make_shared<admin_access>();
  auto other = http::credential_of("other", "sk-other");
  other.tag = static_cast<std::uint32_t>(storage::role::viewer);
  next->set = http::credential_set({other});
  call_on(*stage.system->loops().front(), [&] { stage.front->replace(next); });
  EXPECT_EQ(stage.ask("GET", "/admin/v1/whoami")->status, 401);
  EXPECT_EQ(stage.ask_as("GET", "/admin/v1/whoami", {}, bearer("sk-other"))->status, 200);
}

TEST(admin_front, guessing_makes_the_address_wait_and_each_guess_is_logged) {
  admin_stage stage;
  const auto guess = [&](std::string_view peer) {
    return stage.ask_as("GET", "/admin/v1/keys", {}, bearer("sk-wrong-guess"), peer);
  };
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(guess("10.9.9.9")->status, 401) << i;
  const auto x = guess("10.9.9.9");
  EXPECT_EQ(x->status, 429);
  EXPECT_EQ(code_of(*x), "too_many_failures");
  EXPECT_EQ(x->answered("retry-after"), "1");
  EXPECT_EQ(schema_fault(*x), "");
  // Nor does what is right help while the address waits; others are not concerned.
  EXPECT_EQ(stage.ask_as("GET", "/admin/v1/whoami", {}, bearer("sk-operator"), "10.9.9.9")->status,
            429);
  EXPECT_EQ(guess("10.8.8.8")->status, 401);
  const auto lines = stage.log.of(log_area::security);
  EXPECT_EQ(lines.size(), 7U);
  for (const auto& line : lines) {
    EXPECT_NE(line.find("admin login failed: GET /admin/v1/keys from 10."), std::string::npos);
    EXPECT_EQ(line.find("guess"), std::string::npos);
  }
}

TEST(admin_front, a_request_without_a_credential_is_no_guess) {
  admin_stage stage;
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(stage.ask_as("GET", "/metrics", {}, {})->status, 401);
  EXPECT_EQ(stage.log.of(log_area::security).size(), 20U);
}

TEST(admin_front, a_strangers_large_body_is_not_admitted_and_counts_as_a_guess) {
  admin_stage stage;
  fake_exchange good("POST", "/admin/v1/keys:import", "", "10.0.0.1");
  good.field("authorization", "Bearer sk-operator");
  fake_exchange bad("POST", "/admin/v1/keys:import", "", "10.0.0.2");
  bad.field("authorization", "Bearer sk-wrong");
  call_on(*stage.system->loops().front(), [&] {
    EXPECT_EQ(stage.front->refusal_of(good.req()), 0);
    for (int i = 0; i < 6; ++i)
      EXPECT_EQ(stage.front->refusal_of(bad.req()), 401);
  });
  EXPECT_EQ(stage.ask_as("GET", "/metrics", {}, {}, "10.0.0.2")->status, 429);
}

TEST(admin_front, viewers_look_and_operators_change) {
  admin_stage stage;
  stage.script().key.id = 255;
  EXPECT_EQ(stage.ask_as("GET", key_path, {}, bearer("sk-viewer"))->status, 200);
  for (const auto* method : {"PATCH", "DELETE"}) {
    const auto x = stage.ask_as(method, key_path, "{}", bearer("sk-viewer"));
    EXPECT_EQ(x->status, 403) << method;
    EXPECT_EQ(code_of(*x), "forbidden");
    EXPECT_EQ(schema_fault(*x), "");
  }
  EXPECT_FALSE(stage.script().was_asked<delete_key>());
  EXPECT_EQ(stage.ask("DELETE", key_path)->status, 204);
}

TEST(admin_front, the_nodes_own_socket_needs_no_credential) {
  admin_stage stage(true);
  const auto x = stage.ask_as("GET", "/admin/v1/whoami", {}, {}, "local uid 1000");
  EXPECT_EQ(x->body, R"({"name":"local","role":"operator","from":"local uid 1000"})");
  EXPECT_EQ(stage.ask_as("DELETE", key_path, {}, {{"host", "node"}}, "local uid 1000")->status,
            204);
  const auto& by = stage.script().last<delete_key>().by;
  EXPECT_EQ(by.who, "local");
  EXPECT_EQ(by.from, "local uid 1000");
  EXPECT_EQ(by.request_id, "req-1");
}

TEST(admin_front, a_foreign_page_may_not_change_anything) {
  admin_stage stage(true);
  const fields foreign{{"host", "127.0.0.1:8081"}, {"origin", "http://evil.example"}};
  const auto x = stage.ask_as("DELETE", key_path, {}, foreign);
  EXPECT_EQ(x->status, 403);
  EXPECT_EQ(code_of(*x), "forbidden");
  EXPECT_FALSE(stage.script().was_asked<delete_key>());
  EXPECT_EQ(stage.ask_as("GET", "/admin/v1/jobs", {}, foreign)->status, 200);
  const fields own{{"host", "127.0.0.1:8081"}, {"origin", "http://127.0.0.1:8081"}};
  EXPECT_EQ(stage.ask_as("DELETE", key_path, {}, own)->status, 204);
}

TEST(admin_front, another_method_is_told_which_would_do) {
  admin_stage stage;
  const auto x = stage.ask("PUT", key_path, "{}");
  EXPECT_EQ(x->status, 405);
  EXPECT_EQ(code_of(*x), "method_not_allowed");
  EXPECT_EQ(x->answered("allow"), "GET, HEAD, PATCH, DELETE");
  EXPECT_EQ(schema_fault(*x), "");
  EXPECT_EQ(stage.ask("POST", "/healthz", "{}")->answered("allow"), "GET, HEAD");
}

TEST(admin_front, every_answer_forbids_storing_and_sniffing) {
  admin_stage stage;
  for (const auto& x : {stage.ask("GET", "/healthz"), stage.ask("GET", "/admin/v1/jobs"),
                        stage.ask("GET", "/metrics"), stage.ask_as("GET", "/metrics", {}, {}),
                        stage.ask("DELETE", key_path)}) {
    EXPECT_EQ(x->answers, 1);
    EXPECT_EQ(x->answered("cache-control"), "no-store");
    EXPECT_EQ(x->answered("x-content-type-options"), "nosniff");
  }
}

TEST(admin_front, what_the_connection_refuses_has_the_same_shape) {
  admin_stage stage;
  const api_schema schema;
  for (const auto& [status, code] : {std::pair{413, "too_large"},
                                     {401, "unauthorized"},
                                     {408, "invalid_request"},
                                     {415, "unsupported_media_type"},
                                     {503, "unavailable"}}) {
    const auto [head, body] = stage.front->refuse({status, "words", "/x", "req-9", false});
    EXPECT_EQ(head.status, status);
    EXPECT_EQ(schema.fault_of("Error", body), "");
    EXPECT_EQ(json::parse(body).at("error").at("code"), code);
    EXPECT_EQ(json::parse(body).at("error").at("request_id"), "req-9");
    EXPECT_NE(head.fields.find("no-store"), std::string::npos);
  }
}

TEST(admin_front, bodies_are_bounded_and_imports_may_be_larger) {
  admin_stage stage;
  const std::string large(admin_front::body_bytes_max + 1, ' ');
  const auto x = stage.ask("POST", "/admin/v1/keys", large);
  EXPECT_EQ(x->status, 413);
  EXPECT_EQ(code_of(*x), "too_large");
  EXPECT_EQ(schema_fault(*x), "");
  stage.script().job = stage.jobs.begin("keys.import", "boss");
  EXPECT_EQ(stage
                .ask_as("POST", "/admin/v1/keys:import", large + "AIza1",
                        {{"authorization", "Bearer sk-operator"}, {"content-type", "text/plain"}})
                ->status,
            202);
  EXPECT_EQ(stage.script().last<import_keys>().text.reveal().size(), large.size() + 5);
}

TEST(admin_front, a_body_must_say_that_it_is_json_and_be_json) {
  admin_stage stage;
  auto x = stage.ask_as("POST", "/admin/v1/keys", "{}", bearer("sk-operator"));
  EXPECT_EQ(x->status, 415);
  EXPECT_EQ(code_of(*x), "unsupported_media_type");
  EXPECT_EQ(schema_fault(*x), "");
  x = stage.ask("POST", "/admin/v1/keys", "{\n  \"secret\": AIzaHidden}");
  EXPECT_EQ(x->status, 400);
  EXPECT_EQ(code_of(*x), "invalid_json");
  EXPECT_NE(x->body.find("line 2, column 13"), std::string::npos) << x->body;
  EXPECT_EQ(x->body.find("Hidden"), std::string::npos);
  EXPECT_EQ(schema_fault(*x), "");
}

TEST(admin_front, unknown_parameters_and_members_are_refused_together) {
  admin_stage stage;
  const auto x = stage.ask("POST", "/admin/v1/keys?colour=red", R"({"color":1,"weight":"x"})");
  EXPECT_EQ(x->status, 400);
  EXPECT_EQ(details_of(*x), "colour unknown_parameter, secret missing, weight wrong_type, "
                            "color unknown_field");
  EXPECT_EQ(schema_fault(*x), "");
  for (const auto* path :
       {"/metrics?a=1", "/admin/v1/jobs?a=1", "/admin/v1/whoami?a=1", "/admin/v1/settings?a=1",
        "/admin/v1/audit?a=1", "/admin/v1/credentials?a=1", "/admin/v1/settings/history?a=1"})
    EXPECT_EQ(stage.ask("GET", path)->status, 400) << path;
}

TEST(admin_front, a_path_without_a_body_takes_none_or_an_empty_object) {
  admin_stage stage;
  const auto path = std::string{key_path} + ":enable";
  EXPECT_EQ(stage.ask("POST", path)->status, 200);
  EXPECT_EQ(stage.ask("POST", path, "{}")->status, 200);
  EXPECT_EQ(details_of(*stage.ask("POST", path, R"({"why":1})")), "why unknown_field");
  EXPECT_EQ(stage.ask("POST", path, "now")->status, 400);
}

TEST(admin_front, if_match_is_passed_on_and_never_passed_over) {
  admin_stage stage;
  stage.ask("PATCH", key_path, "{}", {{"if-match", "\"7\""}});
  EXPECT_EQ(stage.script().last<edit_key>().expected, 7U);
  stage.ask("PATCH", key_path, "{}", {{"if-match", "*"}});
  EXPECT_FALSE(stage.script().last<edit_key>().expected);
  EXPECT_EQ(details_of(*stage.ask("PATCH", key_path, "{}", {{"if-match", "7"}})),
            "If-Match invalid_value");
  EXPECT_EQ(details_of(
                *stage.ask("POST", std::string{key_path} + ":enable", {}, {{"if-match", "\"7\""}})),
            "If-Match invalid_value");
}

TEST(admin_front, refusals_of_the_inventory_keep_reason_details_and_revision) {
  admin_stage stage;
  stage.script().no = refused{errc::conflict, "revision_mismatch", "Somebody was faster.", {}, 9};
  auto x = stage.ask("PATCH", key_path, "{}", {{"if-match", "\"7\""}});
  EXPECT_EQ(x->status, 412);
  EXPECT_EQ(json::parse(x->body).at("error").at("revision"), 9);
  EXPECT_EQ(schema_fault(*x), "");
  stage.script().no = refused{errc::invalid_argument,
                              "invalid_request",
                              "No.",
                              {{"limits.rpm", "out_of_range", "must be smaller"}},
                              0};
  x = stage.ask("PATCH", key_path, "{}");
  EXPECT_EQ(x->status, 400);
  EXPECT_EQ(details_of(*x), "limits.rpm out_of_range");
  EXPECT_EQ(schema_fault(*x), "");
  for (const auto& [reason, status] : {std::pair{"storage_full", 507},
                                       {"storage_failed", 500},
                                       {"not_found", 404},
                                       {"already_exists", 409},
                                       {"fixed", 409},
                                       {"in_use", 409},
                                       {"busy", 409}}) {
    stage.script().no = refused{errc::storage_failed, reason, "No.", {}, 0};
    x = stage.ask("PATCH", key_path, "{}");
    EXPECT_EQ(x->status, status) << reason;
    EXPECT_EQ(code_of(*x), reason);
    EXPECT_EQ(schema_fault(*x), "");
  }
}

TEST(admin_front, a_node_that_stops_says_so) {
  admin_stage stage;
  stage.door->stop();
  const auto x = stage.ask("GET", "/admin/v1/keys");
  EXPECT_EQ(x->status, 503);
  EXPECT_EQ(code_of(*x), "unavailable");
  EXPECT_EQ(schema_fault(*x), "");
}

TEST(admin_front, metrics_count_the_keys) {
  admin_stage stage;
  const auto x = stage.ask("GET", "/metrics");
  EXPECT_EQ(x->status, 200);
  EXPECT_EQ(x->type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(x->body.find("troupe_keys{health=\"ready\"} 1"), std::string::npos) << x->body;
}

} // namespace
} // namespace troupe
