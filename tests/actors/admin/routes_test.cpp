#include "actors/admin/routes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

TEST(admin_routes, every_path_is_found_and_no_other) {
  EXPECT_EQ(match_admin("/healthz").what, admin_path::health);
  EXPECT_EQ(match_admin("/health").what, admin_path::health);
  EXPECT_EQ(match_admin("/admin/v1/settings").what, admin_path::settings);
  EXPECT_EQ(match_admin("/admin/v1/settings:restore").what, admin_path::settings_restore);
  EXPECT_EQ(match_admin("/admin/v1/settings/history").what, admin_path::settings_history);
  EXPECT_EQ(match_admin("/admin/v1/keys:import").what, admin_path::keys_import);
  for (const auto* path :
       {"/", "", "/admin", "/admin/v1", "/admin/v1/", "/admin/v1/keys/", "/admin/v1/key",
        "/admin/v2/keys", "/admin/v1/keys:erase", "/admin/v1/settings/", "/HEALTHZ"})
    EXPECT_EQ(match_admin(path).what, admin_path::none) << path;
}

TEST(admin_routes, ids_are_read_from_the_path) {
  const auto key = match_admin("/admin/v1/keys/key_00000000000000ff");
  EXPECT_EQ(key.what, admin_path::key);
  EXPECT_EQ(key.id, 255U);
  const auto check = match_admin("/admin/v1/keys/key_00000000000000ff:check");
  EXPECT_EQ(check.what, admin_path::key_check);
  EXPECT_EQ(check.id, 255U);
  const auto renew = match_admin("/admin/v1/credentials/cred_0000000000000010:renew");
  EXPECT_EQ(renew.what, admin_path::credential_renew);
  EXPECT_EQ(renew.id, 16U);
  const auto job = match_admin("/admin/v1/jobs/7:cancel");
  EXPECT_EQ(job.what, admin_path::job_cancel);
  EXPECT_EQ(job.id, 7U);
}

TEST(admin_routes, an_id_that_can_be_nobodys_is_no_path) {
  for (const auto* path :
       {"/admin/v1/keys/key_ff", "/admin/v1/keys/cred_00000000000000ff", "/admin/v1/keys/:check",
        "/admin/v1/jobs/0", "/admin/v1/jobs/7x", "/admin/v1/jobs/99999999999999999999",
        "/admin/v1/keys/key_00000000000000ff/more", "/admin/v1/keys/key_00000000000000ff:erase"})
    EXPECT_EQ(match_admin(path).what, admin_path::none) << path;
}

TEST(admin_routes, a_request_is_named_by_any_text) {
  const auto request = match_admin("/admin/v1/requests/r%2F1-abc/explain");
  EXPECT_EQ(request.what, admin_path::request_explain);
  EXPECT_EQ(request.text, "r/1-abc");
  EXPECT_EQ(request.id, 0U);
  const auto too_long = "/admin/v1/requests/" + std::string(257, 'x') + "/explain";
  EXPECT_EQ(match_admin(too_long).what, admin_path::none);
  EXPECT_EQ(match_admin("/admin/v1/requests//explain").what, admin_path::none);
  EXPECT_EQ(match_admin("/admin/v1/requests/r").what, admin_path::none);
}

TEST(admin_routes, percent_encoding_is_read) {
  EXPECT_EQ(match_admin("/admin/v1/keys%3Aimport").what, admin_path::keys_import);
  EXPECT_EQ(match_admin("/admin/v1/jobs/7%3acancel").what, admin_path::job_cancel);
  EXPECT_EQ(match_admin("/admin%2Fv1/keys%00").what, admin_path::none);
}

TEST(admin_routes, head_goes_where_get_goes) {
  const auto key = match_admin("/admin/v1/keys/key_00000000000000ff");
  EXPECT_TRUE(takes(key, "HEAD"));
  EXPECT_TRUE(takes(key, "PATCH"));
  EXPECT_FALSE(takes(key, "POST"));
  EXPECT_EQ(allowed_methods(key), "GET, HEAD, PATCH, DELETE");
  const auto import = match_admin("/admin/v1/keys:import");
  EXPECT_FALSE(takes(import, "HEAD"));
  EXPECT_FALSE(takes(import, "post"));
  EXPECT_EQ(allowed_methods(import), "POST");
}

TEST(admin_routes, looking_needs_less_than_changing) {
  EXPECT_EQ(need_of(match_admin("/readyz"), "GET"), admin_need::nothing);
  EXPECT_EQ(need_of(match_admin("/admin/v1/openapi.json"), "HEAD"), admin_need::nothing);
  EXPECT_EQ(need_of(match_admin("/metrics"), "GET"), admin_need::to_look);
  for (const auto& row : admin_rows()) {
    const admin_route r{row.what, row.methods, 1};
    for (const auto* method : {"POST", "PATCH", "DELETE"})
      if (takes(r, method)) {
        EXPECT_EQ(need_of(r, method), admin_need::to_change) << row.pattern;
      }
  }
}

} // namespace
} // namespace troupe
