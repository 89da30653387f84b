#include "actors/admin/routes.hpp"

#include "http/core/percent.hpp"
#include "protocol/base/key_id.hpp"
#include "storage/core/credential_item.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace troupe {

namespace {

using enum admin_path;

constexpr std::string_view requests_path = "/admin/v1/requests/{request_id}/explain";

constexpr std::array<admin_row, 32> rows{{
    {"/healthz", "GET", health},
    {"/health", "GET", health},
    {"/readyz", "GET", ready},
    {"/metrics", "GET", admin_path::metrics},
    {"/admin/v1/openapi.json", "GET", openapi},
    {"/admin/v1/settings", "GET PATCH", settings},
    {"/admin/v1/settings/history", "GET", settings_history},
    {"/admin/v1/settings/diff", "GET", settings_diff},
    {"/admin/v1/settings:restore", "POST", settings_restore},
    {"/admin/v1/keys", "GET POST", keys},
    {"/admin/v1/keys/{id}", "GET PATCH DELETE", key},
    {"/admin/v1/keys/{id}:enable", "POST", key_enable},
    {"/admin/v1/keys/{id}:disable", "POST", key_disable},
    {"/admin/v1/keys/{id}:pause", "POST", key_pause},
    {"/admin/v1/keys/{id}:reset", "POST", key_reset},
    {"/admin/v1/keys/{id}:check", "POST", key_check},
    {"/admin/v1/keys:import", "POST", keys_import},
    {"/admin/v1/keys:bulk", "POST", keys_bulk},
    {"/admin/v1/pool", "GET", pool},
    {"/admin/v1/upstreams", "GET", upstreams},
    {requests_path, "GET", request_explain},
    {"/admin/v1/credentials", "GET POST", credentials},
    {"/admin/v1/credentials/{id}", "GET PATCH DELETE", credential},
    {"/admin/v1/credentials/{id}:renew", "POST", credential_renew},
    {"/admin/v1/audit", "GET", audit},
    {"/admin/v1/jobs", "GET", jobs},
    {"/admin/v1/jobs/{id}", "GET", job},
    {"/admin/v1/jobs/{id}:cancel", "POST", job_cancel},
    {"/admin/v1/backup", "POST", backup},
    {"/admin/v1/restore", "POST", restore},
    {"/admin/v1/secrets:rotate", "POST", secrets_rotate},
    {"/admin/v1/whoami", "GET", whoami},
}};

constexpr std::size_t request_id_bytes_max = 256;

/// What stands in the place of `{...}`; nothing if the path is another one.
std::optional<std::string_view> id_in(std::string_view pattern, std::string_view path) {
  const auto before = pattern.substr(0, pattern.find('{'));
  const auto after = pattern.substr(pattern.find('}') + 1);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before)
      || !path.ends_with(after))
    return std::nullopt;
  return path.substr(before.size(), path.size() - before.size() - after.size());
}

std::uint64_t read_id(std::string_view pattern, std::string_view text) {
  if (pattern.starts_with("/admin/v1/keys/")) {
    const auto id = parse_key_id(text);
    return id ? id->value : 0;
  }
  if (pattern.starts_with("/admin/v1/credentials/"))
    return storage::parse_credential_name(text);
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? number : 0;
}

/// Calls `f` with each method of the list.
template <class F>
void each_method(std::string_view methods, F f) {
  while (!methods.empty()) {
    const auto end = std::min(methods.find(' '), methods.size());
    f(methods.substr(0, end));
    methods.remove_prefix(std::min(end + 1, methods.size()));
  }
}

} // namespace

std::span<const admin_row> admin_rows() {
  return rows;
}

admin_route match_admin(std::string_view encoded) {
  std::string decoded;
  if (encoded.find('%') != std::string_view::npos)
    decoded = http::percent_decode(encoded);
  const std::string_view path = decoded.empty() ? encoded : std::string_view{decoded};
  for (const auto& row : admin_rows()) {
    if (row.pattern == path)
      return {row.what, row.methods, 0};
    if (row.pattern.find('{') == std::string_view::npos)
      continue;
    const auto text = id_in(row.pattern, path);
    if (!text)
      continue;
    if (row.what == request_explain) {
      if (text->size() <= request_id_bytes_max)
        return {row.what, row.methods, 0, std::string{*text}};
    } else if (const auto id = read_id(row.pattern, *text); id != 0) {
      return {row.what, row.methods, id};
    }
  }
  return {};
}

bool takes(const admin_route& r, std::string_view method) {
  bool found = false;
  each_method(r.methods, [&](std::string_view one) {
    found = found || one == method || (one == "GET" && method == "HEAD");
  });
  return found;
}

std::string allowed_methods(const admin_route& r) {
  std::string all;
  each_method(r.methods, [&](std::string_view one) {
    all += all.empty() ? "" : ", ";
    all += one;
    if (one == "GET")
      all += ", HEAD";
  });
  return all;
}

bool takes_if_match(const admin_route& r) {
  switch (r.what) {
  case settings:
  case settings_restore:
  case key:
  case credential:
  case credential_renew:
    return true;
  default:
    return false;
  }
}

admin_need need_of(const admin_route& r, std::string_view method) {
  switch (r.what) {
  case health:
  case ready:
  case openapi:
    return admin_need::nothing;
  default:
    return method == "GET" || method == "HEAD" ? admin_need::to_look : admin_need::to_change;
  }
}

} // namespace troupe
