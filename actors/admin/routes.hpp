#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace troupe {

/// What the admin port offers. One value per path; the method says the rest.
enum class admin_path : std::uint8_t {
  none, ///< 404
  health,
  ready,
  metrics,
  openapi,
  settings,
  settings_history,
  settings_diff,
  settings_restore,
  keys,
  key,
  key_enable,
  key_disable,
  key_pause,
  key_reset,
  key_check,
  keys_import,
  keys_bulk,
  pool,
  upstreams,
  request_explain,
  credentials,
  credential,
  credential_renew,
  audit,
  jobs,
  job,
  job_cancel,
  backup,
  restore,
  secrets_rotate,
  whoami,
};

/// Who may use a path.
enum class admin_need : std::uint8_t { nothing, to_look, to_change };

struct admin_row {
  std::string_view pattern; ///< `/admin/v1/keys/{id}:enable`; one `{...}` at most
  std::string_view methods; ///< `GET PATCH`; what takes GET takes HEAD too
  admin_path what = admin_path::none;
};

/// Every path there is.
std::span<const admin_row> admin_rows();

struct admin_route {
  admin_path what = admin_path::none;
  std::string_view methods; ///< as in the row
  std::uint64_t id = 0;     ///< of the key, credential or job that the path names
  std::string text{};       ///< of the request that it names
};

/// Finds the path; percent-encoded characters are read. An id that can be nobody's is no path.
admin_route match_admin(std::string_view path);

/// Whether the path takes `method`.
bool takes(const admin_route& r, std::string_view method);

/// `GET, HEAD, PATCH`: for the field `allow`.
std::string allowed_methods(const admin_route& r);

/// Whether what the path changes has a revision that `If-Match` can name.
bool takes_if_match(const admin_route& r);

admin_need need_of(const admin_route& r, std::string_view method);

} // namespace troupe
